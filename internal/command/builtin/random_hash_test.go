package builtin

import "strings"

// hash makes a random command of hashes, small enough to stay listpacks: the order of
// a table's fields is its own.
func (g generator) hash() []string {
	key := g.pick("h", "i", "j", "a")
	switch g.IntN(14) {
	case 0, 1, 2:
		return append([]string{g.pick("HSET", "HSET", "HMSET"), key}, g.fieldValues()...)
	case 3:
		return []string{"HSETNX", key, g.field(), g.fieldValue()}
	case 4:
		return append([]string{"HMGET", key}, g.fields()...)
	case 5, 6:
		return append([]string{"HDEL", key}, g.fields()...)
	case 7:
		return []string{"HINCRBY", key, g.field(), g.integer()}
	case 8:
		return []string{"HINCRBYFLOAT", key, g.field(), g.pick("0.1", "-1.5", "3.0e3", "1e10", "17", "x", "nan", "")}
	case 9:
		return []string{g.pick("HSTRLEN", "HEXISTS", "HGET"), key, g.field()}
	case 10:
		return []string{"HSCAN", key, g.pick("0", "0", "17", "x"), g.pick("MATCH", "match", "COUNT"), g.pick("*", "[a-c]*", "?", "3")}
	case 11:
		return []string{"HRANDFIELD", key, g.pick("100", "0", "x"), "WITHVALUES"}
	case 12:
		return []string{g.pick("DEL", "HLEN", "TYPE"), key}
	}
	return []string{g.pick("HKEYS", "HVALS", "HGETALL"), key}
}

func (g generator) field() string {
	return g.pick("a", "b", "c", "d", "e", "1", "-7", "1000000", "", "aa", "bb", strings.Repeat("f", 60))
}

func (g generator) fields() (list []string) {
	for range g.IntN(4) {
		list = append(list, g.field())
	}
	return list
}

func (g generator) fieldValues() (list []string) {
	for range g.IntN(4) {
		list = append(list, g.field(), g.fieldValue())
	}
	return list
}

// fieldValue is never longer than a listpack takes.
func (g generator) fieldValue() string {
	switch g.IntN(4) {
	case 0:
		return g.integer()
	case 1:
		return g.pick("1.5", "-0.25", "1e10", "inf", "3.0")
	}
	b := []byte(g.bytes())
	return string(b[:min(len(b), 64)])
}
