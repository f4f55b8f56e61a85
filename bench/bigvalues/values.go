//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
)

// kinds are the types of big values.
var kinds = []string{"set", "hash", "zset", "list", "stream"}

// perCommand is how many elements one command adds.
const perCommand = 200

// fill makes key a value of n elements.
func fill(addr, kind, key string, n int) error {
	return pipeline(addr, func(w *bufio.Writer) (commands int) {
		var args []string
		for at := 0; at < n; {
			args = args[:0]
			switch kind {
			case "stream":
				args = append(args, "XADD", key, "*", "field", element(at))
				at++
			default:
				args = append(args, map[string]string{"set": "SADD", "hash": "HSET", "zset": "ZADD", "list": "RPUSH"}[kind], key)
				for end := min(at+perCommand, n); at < end; at++ {
					switch kind {
					case "hash":
						args = append(args, element(at), strconv.Itoa(at))
					case "zset":
						args = append(args, strconv.Itoa(at), element(at))
					default:
						args = append(args, element(at))
					}
				}
			}
			w.Write(resp.AppendCommand(w.AvailableBuffer(), args...))
			commands++
		}
		return commands
	})
}

func element(i int) string { return fmt.Sprintf("element:%010d", i) }

// setKeys makes n keys of a small value each.
func setKeys(addr string, n int, key func(int) string, more ...string) error {
	return pipeline(addr, func(w *bufio.Writer) int {
		for i := range n {
			w.Write(resp.AppendCommand(w.AvailableBuffer(), append([]string{"SET", key(i), "value"}, more...)...))
		}
		return n
	})
}

// expireKeys gives n keys the same deadline, Unix ms.
func expireKeys(addr string, n int, key func(int) string, atMs int64) error {
	return pipeline(addr, func(w *bufio.Writer) int {
		for i := range n {
			w.Write(resp.AppendCommand(w.AvailableBuffer(), "PEXPIREAT", key(i), strconv.FormatInt(atMs, 10)))
		}
		return n
	})
}

// pipeline sends what send writes, and reads as many replies beside it, none of which may be an error.
func pipeline(addr string, send func(w *bufio.Writer) (commands int)) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	sent := make(chan int, 1)
	go func() {
		w := bufio.NewWriterSize(c, 1<<20)
		n := send(w)
		if w.Write(resp.AppendCommand(w.AvailableBuffer(), "PING")); w.Flush() != nil {
			c.Close()
		}
		sent <- n
	}()
	in := resp.NewReader(bufio.NewReaderSize(c, 1<<20))
	for n := 0; ; n++ {
		v, err := in.Read()
		switch {
		case err != nil:
			return err
		case v.IsError():
			return fmt.Errorf("loading: %s", v.Text())
		case v.Kind == resp.SimpleString && v.Text() == "PONG":
			if want := <-sent; n != want {
				return fmt.Errorf("%d replies to %d commands: %w", n, want, io.ErrUnexpectedEOF)
			}
			return nil
		}
	}
}
