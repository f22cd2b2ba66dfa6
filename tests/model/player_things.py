# SPDX-License-Identifier: MIT
"""The objects of a program, as the player has them: which descriptor a name stands for, and what
was sent through it."""

import atexit
import functools
import os
from collections import Counter
from select import POLLIN, poll
from socket import (AF_INET, AF_UNIX, IPPROTO_IP, IPPROTO_TCP, SO_LINGER, SO_SNDBUF, SOCK_DGRAM,
                    SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, socket, socketpair)
from zlib import crc32

import program
from player_attempts import accept, on_socket

# Byte number k that goes through object o is (37 o + k) modulo this.
_MODULUS = 251
_PATTERN = bytes(range(_MODULUS)) * ((1 << 20) // _MODULUS)

_INTERNET = frozenset((program.TCP, program.TCP_LISTENER, program.UDP_ERROR))
_IP_RECVERR = 11  # <linux/in.h>
_NO_LINGER = bytes((1, 0, 0, 0, 0, 0, 0, 0))  # struct linger: on, no time.


class Thing:
    """An object. Empty while `fd` is -1."""

    __slots__ = ("number", "kind", "fd", "closed_at", "sent", "family", "address", "opened")

    def __init__(self, number, kind, opened):
        self.opened = opened
        self.number = number
        self.kind = kind
        self.fd = -1
        self.closed_at = None  # The tick in which a close of it was submitted.
        self.sent = 0
        self.family = AF_UNIX  # Of a listener, with its address.
        self.address = None

    def descriptor(self, tick):
        """The descriptor for a step in this tick, or -1."""
        if self.closed_at is not None and self.closed_at != tick:
            self.fd = -1
            self.closed_at = None
        return self.fd

    def fill(self, fd):
        self.fd = fd
        self.closed_at = None
        self.opened[fd] += 1

    def next_bytes(self, size):
        start = (self.number * 37 + self.sent) % _MODULUS
        return _PATTERN[start:start + size]


def digest(pieces):
    value = 0
    for piece in pieces:
        value = crc32(piece, value)
    return value


def _own_address():
    """Of this process alone: the port of a listener that is closed may be another process's a
    moment later, and a connect there is to be refused."""
    return f"127.{os.getpid() >> 8 & 255}.{os.getpid() & 255}.1"


class _Harbour:
    """Where TCP pairs of all programs are made."""

    fd = -1
    address = None

    @classmethod
    def open(cls):
        listener = socket()
        listener.bind((_own_address(), 0))
        listener.listen(4)
        cls.address = listener.getsockname()
        cls.fd = listener.detach()  # It stays open as long as the process lives.

    @classmethod
    def pair(cls):
        """Two sockets, of which the first has connected to the second."""
        if cls.fd < 0:
            cls.open()
        one = socket()
        one.connect(cls.address)
        other = socket(fileno=accept(cls.fd))
        for sock in (one, other):
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        return one, other


class Loopback:
    """Waits until what was sent over loopback has arrived. The kernel nearly always delivers it
    within the call that sends; when it is busy, a thread of its own does so, a moment later. A
    datagram goes through the same queue: when it is there at once, so is all before it."""

    def __init__(self):
        self.socket = socket(AF_INET, SOCK_DGRAM)
        self.socket.bind((_own_address(), 0))
        self.socket.connect(self.socket.getsockname())
        self.socket.setblocking(False)
        self.arrival = poll()
        self.arrival.register(self.socket, POLLIN)
        atexit.register(self.socket.close)

    def wait(self):
        while not self._passes_at_once():
            pass

    def _passes_at_once(self):
        self.socket.send(b"x")
        at_once = bool(self.arrival.poll(0))
        if not at_once:
            self.arrival.poll()
        self.socket.recv(1)
        return at_once


@functools.cache
def loopback():
    return Loopback()


def _open_two(kind):
    if kind == program.PIPE:
        return os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    if kind == program.TCP:
        two = _Harbour.pair()
    else:
        two = socketpair(AF_UNIX, SOCK_DGRAM if kind == program.DATAGRAMS else SOCK_STREAM)
    for sock in two:
        sock.setblocking(False)
        if kind == program.SMALL_PAIR:
            sock.setsockopt(SOL_SOCKET, SO_SNDBUF, 1)
    return [sock.detach() for sock in two]


def _open_listener(thing, backlog):
    if thing.kind == program.TCP_LISTENER:
        thing.family = AF_INET
    sock = socket(thing.family)
    sock.setblocking(False)
    sock.bind((_own_address(), 0) if thing.family == AF_INET else "")
    if thing.family == AF_INET:
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # What it accepts takes after it.
    thing.address = sock.getsockname()
    sock.listen(backlog)
    thing.fill(sock.detach())


def _open_file(thing):
    fd = os.memfd_create("file")
    os.pwrite(fd, thing.next_bytes(program.FILE_BYTES), 0)
    os.set_blocking(fd, False)
    thing.fill(fd)


def _open_troubled_socket(thing):
    """UDP, connected to a port where nobody is; the answer to its one datagram has come."""
    sock = socket(AF_INET, SOCK_DGRAM)
    with socket(AF_INET, SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        sock.setsockopt(IPPROTO_IP, _IP_RECVERR, 1)
        sock.connect(taken.getsockname())
    sock.send(b"x")
    answer = poll()
    answer.register(sock, 0)
    answer.poll()
    sock.setblocking(False)
    thing.fill(sock.detach())


_SINGLE = {program.FILE: _open_file, program.UDP_ERROR: _open_troubled_socket}


class Things(list):
    """All objects of a program, by number."""

    def __init__(self, objects):
        # By descriptor: how often it was opened and not closed. What was released in the tick in
        # which it was to be closed is open, and no object has it any more.
        self.opened = Counter()
        super().__init__(Thing(number, made.kind, self.opened)
                         for number, made in enumerate(objects))
        self.has_internet = False
        for number, made in enumerate(objects):
            self.has_internet |= made.kind in _INTERNET
            if made.kind in (program.UNIX_LISTENER, program.TCP_LISTENER):
                _open_listener(self[number], made.backlog)
            elif made.kind in _SINGLE:
                _SINGLE[made.kind](self[number])
            elif made.kind <= program.DATAGRAMS and not made.is_second:
                for thing, fd in zip(self[number:number + 2], _open_two(made.kind)):
                    thing.fill(fd)

    def close(self):
        """Closes what is open, leaving no port occupied."""
        for fd in +self.opened:
            if self.has_internet:
                on_socket(fd, lambda sock: sock.setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER))
            os.close(fd)
