//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
)

// Collections of all types are loaded with elements of 16 bytes, in commands of ten.

var collectionTypes = []string{"hash", "set", "zset", "list", "stream"}

const (
	elementBytes = 16
	elementsEach = 10 // of a command, but of streams, whose commands add one
)

// fillWith fills a server with what the cell asks for, and makes sure that it has the keys.
func (s *Server) fillWith(ctx context.Context, m MemoryCell) error {
	conn, err := dial(ctx, s.Port)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	checked := make(chan error, 1)
	go func() {
		err := checkAdded(conn, m)
		if err != nil {
			conn.Close()
		}
		checked <- err
	}()
	sendErr := sendCollections(conn, m)
	if sendErr != nil {
		conn.Close()
	}
	if err := <-checked; err != nil {
		return s.explain(fmt.Errorf("loading collections: %w", err))
	}
	s.keys = m.Keys
	if sendErr != nil {
		return sendErr
	}
	return s.checkKeys(ctx)
}

// sendCollections writes the commands that add all elements, those of a collection one behind the
// other.
func sendCollections(w io.Writer, m MemoryCell) error {
	out := bufio.NewWriterSize(w, loadBufferBytes)
	var args [][]byte
	for key := range m.Keys {
		name := appendKey(nil, key)
		for from := 0; from < m.Elements; from += m.each() {
			args = args[:0]
			for i := from; i < min(from+m.each(), m.Elements); i++ {
				args = addElement(args, m.Type, key*m.Elements+i)
			}
			sendAdd(out, m.Type, name, args)
		}
	}
	return out.Flush()
}

// each is how many elements a command adds.
func (m MemoryCell) each() int {
	if m.Type == "stream" {
		return 1
	}
	return elementsEach
}

// addElement appends the arguments that add element number i.
func addElement(args [][]byte, typ string, i int) [][]byte {
	element := appendKey(nil, i)
	switch typ {
	case "hash":
		return append(args, element, bytes.Repeat([]byte("v"), elementBytes))
	case "zset":
		return append(args, strconv.AppendInt(nil, int64(i), 10), element)
	case "stream":
		return append(args, []byte("*"), []byte("field"), element)
	}
	return append(args, element)
}

// adders are the commands that add elements.
var adders = map[string]string{"hash": "HSET", "set": "SADD", "zset": "ZADD", "list": "RPUSH", "stream": "XADD"}

func sendAdd(out *bufio.Writer, typ string, key []byte, args [][]byte) {
	name := adders[typ]
	fmt.Fprintf(out, "*%d\r\n$%d\r\n%s\r\n", 2+len(args), len(name), name)
	for _, arg := range append([][]byte{key}, args...) {
		fmt.Fprintf(out, "$%d\r\n%s\r\n", len(arg), arg)
	}
}

// checkAdded reads the replies to all commands; none may be an error.
func checkAdded(r io.Reader, m MemoryCell) error {
	in := bufio.NewReaderSize(r, loadBufferBytes)
	for range m.Keys * ((m.Elements + m.each() - 1) / m.each()) {
		line, err := in.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case line[0] == '-':
			return fmt.Errorf("the server answered %q", line)
		case line[0] == '$':
			if _, err := in.ReadSlice('\n'); err != nil {
				return err
			}
		}
	}
	return nil
}
