//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/skeindb/skein/bench/rig"
	"github.com/skeindb/skein/internal/base/resp"
)

// opKeys is how many strings lie beside the collections, and the range of the numbers
// that stand for __rand_int__ in the ops.
const opKeys = 100_000

// ops are the commands of the cells of every type. Each __rand_int__ is another number,
// of twelve digits.
var ops = []struct {
	name, command string
	elements      int // of a reply, counted for the long ones
}{
	{"MSET", "MSET" + strings.Repeat(" key:__rand_int__ abc", 10), 0},
	{"LPUSH", "LPUSH list __rand_int__", 0},
	{"LPOP", "LPOP list", 0},
	{"SADD", "SADD set member:__rand_int__", 0},
	{"HSET", "HSET hash field:__rand_int__ abc", 0},
	{"ZADD", "ZADD zset __rand_int__ member:__rand_int__", 0},
	{"ZRANK", "ZRANK zset member:__rand_int__", 0},
	{"ZRANGE", "ZRANGE zset __rand_int__ inf BYSCORE LIMIT 0 10", 0},
	{"XADD", "XADD stream * field __rand_int__", 0},
	{"XREADGROUP", "XREADGROUP GROUP group consumer COUNT 1 STREAMS stream >", 0},
	{"LRANGE100", "LRANGE list:100 0 -1", 100},
	{"ZRANGE100", "ZRANGE zset:100 0 -1", 100},
	{"HGETALL100", "HGETALL hash:100", 200},
	{"SMEMBERS100", "SMEMBERS set:100", 100},
	{"LRANGE1000", "LRANGE list:1000 0 -1", 1000},
	{"ZRANGE1000", "ZRANGE zset:1000 0 -1", 1000},
	{"HGETALL1000", "HGETALL hash:1000", 2000},
	{"SMEMBERS1000", "SMEMBERS set:1000", 1000},
}

const (
	listElements   = 2_000_000 // more than LPOP takes beyond what LPUSH gives
	streamEntries  = 300_000
	elementsAtOnce = 100 // in one command
)

// collections are made by commands of several elements, given by their numbers.
var collections = []struct {
	key, command string
	elements     int
	element      string // a format, for the number as often as it is wanted
}{
	{"list", "RPUSH", listElements, "%012[1]d"},
	{"set", "SADD", opKeys, "member:%012[1]d"},
	{"hash", "HSET", opKeys, "field:%012[1]d abc"},
	{"zset", "ZADD", opKeys, "%[1]d member:%012[1]d"},
	{"list:100", "RPUSH", 100, "element:%[1]d"},
	{"set:100", "SADD", 100, "member:%[1]d"},
	{"hash:100", "HSET", 100, "field:%[1]d value:%[1]d"},
	{"zset:100", "ZADD", 100, "%[1]d member:%[1]d"},
	{"list:1000", "RPUSH", 1000, "element:%[1]d"},
	{"set:1000", "SADD", 1000, "member:%[1]d"},
	{"hash:1000", "HSET", 1000, "field:%[1]d value:%[1]d"},
	{"zset:1000", "ZADD", 1000, "%[1]d member:%[1]d"},
}

// loadCollections makes what the ops work on.
func (s *Server) loadCollections(ctx context.Context) error {
	conn, err := dial(ctx, s.Port)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	rig.Progress("collections into %s", s.Name)
	in := resp.NewReader(conn)
	p := &pipeline{out: bufio.NewWriterSize(conn, loadBufferBytes), read: func() error { return wantNoError(in) }}
	for _, c := range collections {
		for from := 0; from < c.elements; from += elementsAtOnce {
			words := []string{c.command, c.key}
			for n := from; n < min(from+elementsAtOnce, c.elements); n++ {
				words = append(words, strings.Fields(fmt.Sprintf(c.element, n))...)
			}
			p.send(words...)
		}
	}
	for n := range streamEntries {
		p.send("XADD", "stream", "*", "field", fmt.Sprintf("%012d", n))
	}
	p.send("XGROUP", "CREATE", "stream", "group", "0")
	s.collections = len(collections) + 1
	return p.finish()
}

// pipeline sends commands and reads the replies when there are many to come.
type pipeline struct {
	out  *bufio.Writer
	read func() error
	owed int // replies
	err  error
}

const pipelineMax = 1000

func (p *pipeline) send(words ...string) {
	if p.err != nil {
		return
	}
	_, p.err = p.out.Write(resp.AppendCommand(nil, words...))
	if p.owed++; p.owed == pipelineMax {
		p.finish()
	}
}

// finish reads all replies that are owed.
func (p *pipeline) finish() error {
	if p.err == nil {
		p.err = p.out.Flush()
	}
	for ; p.owed > 0 && p.err == nil; p.owed-- {
		p.err = p.read()
	}
	return p.err
}

func wantNoError(in *resp.Reader) error {
	v, err := in.Read()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && v.IsError() {
		err = fmt.Errorf("loading collections: %s", v.Text())
	}
	return err
}
