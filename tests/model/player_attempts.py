# SPDX-License-Identifier: MIT
"""The player's system calls: an operation is tried once, without blocking.

All descriptors are non-blocking, so that read(2) and write(2) on a socket are recv(2) and send(2)
but for no bytes at all. Results are >= 0, or -errno; None says that it would block.
"""

import os
from errno import EAGAIN, EALREADY, EBADF, EINPROGRESS, EISCONN, ENOTSOCK
from fcntl import F_GETFL, fcntl
from select import poll
from socket import AF_UNIX, SOCK_STREAM, SocketType
from stat import S_ISSOCK

import trace

_DATA = frozenset((
    trace.VERB_RECV, trace.VERB_RECV_EXACT, trace.VERB_RECVMSG, trace.VERB_READ,
    trace.VERB_ACCEPT, trace.VERB_SEND, trace.VERB_SEND_ALL, trace.VERB_SENDMSG))
_WAITS = frozenset((trace.VERB_WAIT_RECV, trace.VERB_WAIT_SEND))


def moves_data(operation):
    """What is tried once more before it is cut off (S15)."""
    return operation.verb in _DATA


def waits_for_readiness(operation):
    """Bare waits; a recv or a send of no bytes waits like any other."""
    return operation.verb in _WAITS or (
        operation.bytes == 0 and operation.verb in (trace.VERB_RECV, trace.VERB_SEND))


def close(fd):
    try:
        os.close(fd)
    except OSError as error:
        return -error.errno
    return 0


def access_mode(fd):
    """O_RDONLY, O_WRONLY or O_RDWR; None for what is closed."""
    try:
        return fcntl(fd, F_GETFL) & os.O_ACCMODE if fd >= 0 else None
    except OSError:
        return None


def is_socket(fd):
    return S_ISSOCK(os.fstat(fd).st_mode)


def on_socket(fd, call, family=AF_UNIX):
    """Has call(socket) work on a descriptor: its result, or -errno."""
    if fd < 0:
        return -EBADF
    try:
        sock = SocketType(family, SOCK_STREAM, 0, fd)
    except OSError as error:
        return -error.errno
    try:
        return call(sock)
    except OSError as error:
        return -error.errno
    finally:
        sock.detach()


def poll_events(fd, events):
    """What poll(2) says of a descriptor now."""
    poller = poll()
    poller.register(fd, events)
    found = poller.poll(0)
    return found[0][1] if found else 0


def receive(fd, size, data):
    """recv(2), of a pipe read(2): a result. The bytes are appended to `data`."""
    if size == 0 and is_socket(fd):
        # Python's recv() does not ask for nothing, nor does read(2).
        return on_socket(fd, lambda sock: len(sock.recvmsg(0)[0]))
    return read(fd, size, data)


def read(fd, size, data):
    try:
        piece = os.read(fd, size)
    except OSError as error:
        return -error.errno
    data.append(piece)
    return len(piece)


def send(fd, data):
    """send(2), of a pipe write(2)."""
    try:
        return os.write(fd, data)
    except OSError as error:
        return -error.errno


def shut_down(fd, how):
    """shutdown(2); `how` is SHUT_RD, SHUT_WR or SHUT_RDWR."""
    return on_socket(fd, lambda sock: sock.shutdown(how) or 0)


def accept(fd):
    """accept4(2) that makes a non-blocking descriptor."""
    result = on_socket(fd, lambda sock: sock._accept()[0])
    if result >= 0:
        os.set_blocking(result, False)
    return result


def connect(fd, family, address):
    return on_socket(fd, lambda sock: -sock.connect_ex(address), family)


def _try_recv(operation):
    if not is_socket(operation.fd):
        return -ENOTSOCK
    return receive(operation.fd, operation.bytes, operation.received)


def _try_read(operation):
    return read(operation.fd, operation.bytes, operation.received)


def _try_recv_exact(operation):
    left = operation.bytes - operation.progress
    if left == 0:
        return 0
    if not is_socket(operation.fd):
        return -ENOTSOCK
    while left:
        result = receive(operation.fd, left, operation.received)
        if result < 0:
            return result
        if result == 0:
            break
        operation.progress += result
        left -= result
    return operation.progress


def _try_send(operation):
    if not is_socket(operation.fd):
        return -ENOTSOCK
    return send(operation.fd, operation.data)


def _try_send_all(operation):
    if operation.bytes == 0:
        return 0
    if not is_socket(operation.fd):
        return -ENOTSOCK
    while operation.progress < operation.bytes:
        result = send(operation.fd, memoryview(operation.data)[operation.progress:])
        if result < 0:
            return result
        operation.progress += result
    return operation.bytes


def _try_accept(operation):
    return accept(operation.fd)


def _try_connect(operation):
    family, address = operation.address
    result = connect(operation.fd, family, address)
    if result in (-EINPROGRESS, -EALREADY):
        operation.is_begun = True
        return -EAGAIN
    return 0 if result == -EISCONN and operation.is_begun else result


_TRIES = {
    trace.VERB_RECV: _try_recv,
    trace.VERB_RECV_EXACT: _try_recv_exact,
    trace.VERB_RECVMSG: _try_recv,
    trace.VERB_READ: _try_read,
    trace.VERB_ACCEPT: _try_accept,
    trace.VERB_SEND: _try_send,
    trace.VERB_SEND_ALL: _try_send_all,
    trace.VERB_SENDMSG: _try_send,
    trace.VERB_CONNECT: _try_connect,
}


def attempt(operation):
    """Tries an operation that moves data. None: it would block."""
    result = _TRIES[operation.verb](operation)
    return None if result == -EAGAIN else result
