// SPDX-License-Identifier: MIT
//
// The server as one writes it in Go with package net: a goroutine a connection, which reads and
// writes as if it had the machine to itself. GOMAXPROCS is 1, so that it computes on one thread as
// its competitors do; the runtime keeps some more threads, most of them asleep.
//
// Usage: go_net [--port N | --unix PATH] [--mode echo | rr --request N --reply N |
// fan-out --request N | compute --compute-us N]. SIGTERM ends it. The backlog is the system's
// somaxconn, which the package takes without asking, and TCP_NODELAY is what it sets by itself.

package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

const (
	bufferBytes       = 16384
	unsentBytesMax    = 1 << 20
	calibrationSteps  = 1 << 20
	calibrationRounds = 9
	threadCPUClock    = 3 // CLOCK_THREAD_CPUTIME_ID, which package syscall does not name
)

var (
	port         = flag.Int("port", 0, "TCP port of 127.0.0.1")
	unixPath     = flag.String("unix", "", "listen on this path instead")
	mode         = flag.String("mode", "echo", "echo, rr, fan-out or compute")
	requestBytes = flag.Int("request", 0, "bytes of a request")
	replyBytes   = flag.Int("reply", 0, "bytes of a reply")
	computeUs    = flag.Int("compute-us", 0, "processor time before each answer")
)

var (
	computeSteps  uint64
	computeResult uint64
)

// Each step needs the result of the one before.
func runSteps(count uint64) {
	value := computeResult
	for step := uint64(0); step < count; step++ {
		value = value*6364136223846793005 + 1442695040888963407
	}
	computeResult = value
}

func threadCPU() int64 {
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadCPUClock, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

// The quickest round is believed: whatever disturbs a loop makes it longer.
func calibrate() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	least := int64(1) << 62
	for round := 0; round < calibrationRounds; round++ {
		begin := threadCPU()
		runSteps(calibrationSteps)
		if used := threadCPU() - begin; used < least {
			least = used
		}
	}
	computeSteps = uint64(int64(calibrationSteps) * int64(*computeUs) * 1000 / (least + 1))
}

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, bufferBytes)
	for {
		count, err := connection.Read(buffer)
		if count > 0 {
			if computeSteps > 0 {
				runSteps(computeSteps)
			}
			if _, err := connection.Write(buffer[:count]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func reply(connection net.Conn) {
	defer connection.Close()
	input := make([]byte, bufferBytes)
	request := make([]byte, 0, *requestBytes)
	answer := make([]byte, 0, *replyBytes)
	for {
		count, err := connection.Read(input)
		answer = answer[:0]
		for rest := input[:count]; len(rest) > 0; {
			taken := *requestBytes - len(request)
			if taken > len(rest) {
				taken = len(rest)
			}
			request = append(request, rest[:taken]...)
			rest = rest[taken:]
			if len(request) < *requestBytes {
				break
			}
			for left := *replyBytes; left > 0; left -= len(request) {
				if left < len(request) {
					request = request[:left]
				}
				answer = append(answer, request...)
			}
			request = request[:0]
		}
		if len(answer) > 0 {
			if _, err := connection.Write(answer); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// A member of the crowd that hears everything. Its writer sends what is queued, and sleeps while
// there is nothing.
type member struct {
	connection net.Conn
	changed    *sync.Cond // of the crowd's mutex
	queued     []byte
	unsent     int // queued and being sent
	hasEnded   bool
}

var (
	crowdMutex sync.Mutex
	crowd      = map[*member]bool{}
)

func (m *member) write() {
	defer m.connection.Close()
	var sending []byte
	for {
		crowdMutex.Lock()
		m.unsent -= len(sending)
		for len(m.queued) == 0 && !m.hasEnded {
			m.changed.Wait()
		}
		sending, m.queued = m.queued, sending[:0]
		crowdMutex.Unlock()
		if len(sending) == 0 {
			return
		}
		if _, err := m.connection.Write(sending); err != nil {
			m.leave()
			return
		}
	}
}

func (m *member) leave() {
	crowdMutex.Lock()
	delete(crowd, m)
	m.hasEnded = true
	m.changed.Signal()
	crowdMutex.Unlock()
}

func sendToEverybody(messages []byte) {
	crowdMutex.Lock()
	defer crowdMutex.Unlock()
	for m := range crowd {
		m.queued = append(m.queued, messages...)
		m.unsent += len(messages)
		if m.unsent > unsentBytesMax {
			delete(crowd, m)
			m.connection.Close()
		}
		m.changed.Signal()
	}
}

func fanOut(connection net.Conn) {
	m := &member{connection: connection, changed: sync.NewCond(&crowdMutex)}
	crowdMutex.Lock()
	crowd[m] = true
	crowdMutex.Unlock()
	go m.write()
	defer m.leave()
	message := make([]byte, *requestBytes+bufferBytes)
	have := 0
	for {
		count, err := connection.Read(message[have : have+bufferBytes])
		have += count
		if whole := have - have%*requestBytes; whole > 0 {
			sendToEverybody(message[:whole])
			have = copy(message, message[whole:have])
		}
		if err != nil {
			return
		}
	}
}

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "go_net: %s: %v\n", what, err)
	os.Exit(1)
}

func listen() (net.Listener, string) {
	if *unixPath != "" {
		os.Remove(*unixPath)
		listener, err := net.Listen("unix", *unixPath)
		if err != nil {
			fail("listen", err)
		}
		return listener, "unix:" + *unixPath
	}
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fail("listen", err)
	}
	return listener, listener.Addr().String()
}

func main() {
	runtime.GOMAXPROCS(1)
	flag.Parse()
	handlers := map[string]func(net.Conn){
		"echo": echo, "compute": echo, "rr": reply, "fan-out": fanOut}
	handle := handlers[*mode]
	needsRequest := *mode == "rr" || *mode == "fan-out"
	if handle == nil || (needsRequest && *requestBytes <= 0) || (*mode == "rr" && *replyBytes <= 0) {
		fail("options", io.ErrUnexpectedEOF)
	}
	if *mode == "compute" {
		calibrate()
	}
	listener, where := listen()
	fmt.Printf("listening on %s (%s, GOMAXPROCS=%d)\n", where, runtime.Version(),
		runtime.GOMAXPROCS(0))
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		go handle(connection)
	}
}
