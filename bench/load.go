//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/skeindb/skein/bench/rig"
)

const (
	loadConnections = 4
	loadBufferBytes = 64 << 10
	askTimeout      = 10 * time.Second
)

// Load stores keys with values of valueBytes letters under the names that redis-benchmark uses
// with -r keys, key:000000000000 and up, so that its GET always hits and its SET always replaces.
func Load(ctx context.Context, port, keys, valueBytes int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, loadConnections)
	for i := range loadConnections {
		from, to := keys*i/loadConnections, keys*(i+1)/loadConnections
		go func() { errs <- loadRange(ctx, port, from, to, valueBytes) }()
	}
	var first error
	for range loadConnections {
		if err := <-errs; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}

// loadRange sends the SETs of [from, to) over one connection, never waiting for a reply, while
// the replies are read and checked beside it.
func loadRange(ctx context.Context, port, from, to, valueBytes int) error {
	conn, err := dial(ctx, port)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	checked := make(chan error, 1)
	go func() {
		err := checkOKs(conn, to-from)
		if err != nil {
			conn.Close()
		}
		checked <- err
	}()
	sendErr := sendSets(conn, from, to, valueBytes)
	if sendErr != nil {
		conn.Close()
	}
	// A refused write closes the connection under the sender: the reader knows the cause.
	if err := <-checked; err != nil {
		return fmt.Errorf("loading keys: %w", err)
	}
	return sendErr
}

func sendSets(w io.Writer, from, to, valueBytes int) error {
	out := bufio.NewWriterSize(w, loadBufferBytes)
	tail := fmt.Appendf(nil, "\r\n$%d\r\n%s\r\n", valueBytes, bytes.Repeat([]byte("v"), valueBytes))
	command := []byte("*3\r\n$3\r\nSET\r\n$16\r\n")
	head := len(command)
	for number := from; number < to; number++ {
		command = appendKey(command[:head], number)
		out.Write(command)
		out.Write(tail) // an error stays in out until Flush
	}
	return out.Flush()
}

// appendKey appends key: and the number in 12 digits.
func appendKey(b []byte, number int) []byte {
	b = append(b, "key:000000000000"...)
	for i := len(b) - 1; number > 0; i-- {
		b[i] = byte('0' + number%10)
		number /= 10
	}
	return b
}

// checkOKs reads count replies and wants each to be +OK.
func checkOKs(r io.Reader, count int) error {
	const ok = "+OK\r\n"
	in := bufio.NewReaderSize(r, loadBufferBytes)
	for range count {
		reply, err := in.Peek(len(ok))
		if err != nil {
			return err
		}
		if string(reply) != ok {
			line, err := in.ReadString('\n')
			return errors.Join(fmt.Errorf("SET answered %q", line), err)
		}
		in.Discard(len(ok))
	}
	return nil
}

func dial(ctx context.Context, port int) (net.Conn, error) {
	return (&net.Dialer{Timeout: askTimeout}).DialContext(ctx, "tcp", rig.Loopback(port))
}

// Ask sends one command on a connection of its own and returns its reply: a bulk string's
// contents, or the line of any other reply with its type byte. An error reply is an error.
func (s *Server) Ask(ctx context.Context, command ...string) (string, error) {
	conn, err := dial(ctx, s.Port)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(askTimeout))
	out := fmt.Appendf(nil, "*%d\r\n", len(command))
	for _, word := range command {
		out = fmt.Appendf(out, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := conn.Write(out); err != nil {
		return "", err
	}
	return readReply(bufio.NewReader(conn))
}

func readReply(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = string(bytes.TrimRight([]byte(line), "\r\n"))
	switch {
	case line == "":
		return "", errors.New("empty reply")
	case line[0] == '-':
		return line, fmt.Errorf("error reply: %s", line[1:])
	case line[0] != '$':
		return line, nil
	}
	length, err := strconv.Atoi(line[1:])
	if err != nil || length < 0 || length > 1<<20 {
		return "", fmt.Errorf("bulk reply of length %q", line[1:])
	}
	body := make([]byte, length)
	_, err = io.ReadFull(in, body)
	return string(body), err
}

// DBSize returns the number of keys that the server holds.
func (s *Server) DBSize(ctx context.Context) (int, error) {
	reply, err := s.Ask(ctx, "DBSIZE")
	if err != nil {
		return 0, err
	}
	if reply[:min(1, len(reply))] != ":" {
		return 0, fmt.Errorf("DBSIZE answered %q", reply)
	}
	return strconv.Atoi(reply[1:])
}
