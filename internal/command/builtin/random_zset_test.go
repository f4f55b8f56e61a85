package builtin

import "strconv"

// zset makes a random command of sorted sets and places. Scores are such that every
// version of redis writes them alike, and ranges of the alphabet are asked of sets
// whose members all have score 0.
func (g generator) zset() []string {
	key := g.pick("z", "z2", "z3", "z4")
	switch g.IntN(18) {
	case 0, 1, 2, 3:
		words := append([]string{"ZADD", key}, g.some("NX", "XX", "GT", "LT", "CH", "INCR")...)
		for range 1 + g.IntN(3) {
			words = append(words, g.score(), g.zmember())
		}
		return words
	case 4:
		return []string{"ZINCRBY", key, g.score(), g.zmember()}
	case 5:
		return []string{"ZREM", key, g.zmember(), g.zmember()}
	case 6, 7, 8:
		return g.zrange(key)
	case 9:
		return []string{g.pick("ZREMRANGEBYSCORE", "ZCOUNT"), key, g.scoreBound(), g.scoreBound()}
	case 10:
		return []string{"ZREMRANGEBYRANK", key, g.rank(), g.rank()}
	case 11:
		return g.zpop(key)
	case 12, 13:
		return g.zcombine(key)
	case 14:
		return g.zlex()
	case 15:
		return []string{g.pick("ZSCORE", "ZMSCORE", "ZRANK", "ZREVRANK"), key, g.zmember()}
	case 16:
		return []string{g.pick("ZCARD", "TYPE", "DEL"), key}
	}
	return g.geo()
}

// some is a few of the words given, seldom many.
func (g generator) some(words ...string) (list []string) {
	for g.IntN(3) == 0 {
		list = append(list, g.pick(words...))
	}
	return list
}

func (g generator) zmember() string {
	return g.pick("a", "b", "c", "d", "aa", "", "17", "-5", "1000000", "\xff\x00") + g.pick("", "", "", g.letters())
}

func (g generator) score() string {
	return g.pick("0", "1", "2", "-1", "1.5", "-0.25", "1e3", "inf", "-inf", "+3", "0x10", strconv.Itoa(g.IntN(2000)-1000), "x", "nan", "")
}

func (g generator) scoreBound() string {
	return g.pick("", "", "(") + g.pick("0", "1", "2", "-1", "1.5", "inf", "-inf", "+inf", "+inf", "-inf", strconv.Itoa(g.IntN(2000)-1000), "x", "")
}

func (g generator) rank() string {
	return g.pick("0", "1", "-1", "-2", "-1", "0", strconv.Itoa(g.IntN(40)-20), "x")
}

func (g generator) limit() []string {
	if g.IntN(3) > 0 {
		return nil
	}
	return []string{"LIMIT", g.pick("0", "1", "-1", "5"), g.pick("0", "1", "-1", "3", "x")}
}

func (g generator) zrange(key string) []string {
	options := append(g.some("WITHSCORES", "REV", "WITHSCORES"), g.limit()...)
	switch g.IntN(6) {
	case 0:
		return append([]string{g.pick("ZRANGE", "ZREVRANGE"), key, g.rank(), g.rank()}, options...)
	case 1:
		return append([]string{g.pick("ZRANGEBYSCORE", "ZREVRANGEBYSCORE"), key, g.scoreBound(), g.scoreBound()}, options...)
	case 2:
		return append([]string{"ZRANGESTORE", "z4", key, g.rank(), g.rank()}, g.some("REV")...)
	case 3:
		return append([]string{"ZRANGESTORE", "z4", key, g.scoreBound(), g.scoreBound(), "BYSCORE"}, g.limit()...)
	}
	return append([]string{"ZRANGE", key, g.scoreBound(), g.scoreBound(), "BYSCORE"}, options...)
}

func (g generator) zpop(key string) []string {
	switch g.IntN(4) {
	case 0:
		return []string{g.pick("ZPOPMIN", "ZPOPMAX"), key}
	case 1:
		return []string{g.pick("ZPOPMIN", "ZPOPMAX"), key, g.pick("0", "1", "2", "3", "-1", "x")}
	case 2:
		return []string{"ZMPOP", "2", key, g.pick("z", "z2"), g.pick("MIN", "MAX", "min"), "COUNT", g.pick("1", "2", "0", "100")}
	}
	return []string{"ZMPOP", g.pick("1", "2", "0"), key, g.pick("MIN", "MAX")}
}

func (g generator) zcombine(key string) []string {
	source := func() string { return g.pick("z", "z2", "z3", "z4", "zs", "a") }
	keys := []string{"2", source(), source()}
	var options []string
	if g.IntN(3) == 0 {
		options = append(options, "WEIGHTS", g.pick("1", "2", "0.5", "-1", "0", "inf"), g.pick("1", "2", "x"))
	}
	if g.IntN(3) == 0 {
		options = append(options, "AGGREGATE", g.pick("SUM", "MIN", "MAX", "sum"))
	}
	switch g.IntN(8) {
	case 0:
		return append(append([]string{"ZDIFF"}, keys...), g.some("WITHSCORES")...)
	case 1:
		return append([]string{"ZDIFFSTORE", key}, keys...)
	case 2:
		return append(append([]string{"ZINTERCARD"}, keys...), "LIMIT", g.pick("0", "1", "2", "-1"))
	case 3:
		return []string{"SADD", "zs", g.zmember()}
	case 4, 5:
		return append(append([]string{g.pick("ZUNIONSTORE", "ZINTERSTORE"), key}, keys...), options...)
	}
	return append(append(append([]string{g.pick("ZUNION", "ZINTER")}, keys...), options...), g.some("WITHSCORES")...)
}

// zlex is about the set l.
func (g generator) zlex() []string {
	if g.IntN(2) == 0 {
		return []string{"ZADD", "l", "0", g.zmember(), "0", g.zmember()}
	}
	bound := func() string { return g.pick("-", "+", "["+g.zmember(), "("+g.zmember(), "[a", "x") }
	switch g.IntN(4) {
	case 0:
		return []string{"ZREMRANGEBYLEX", "l", bound(), bound()}
	case 1:
		return append([]string{"ZRANGEBYLEX", "l", bound(), bound()}, g.limit()...)
	case 2:
		return append([]string{"ZREVRANGEBYLEX", "l", bound(), bound()}, g.limit()...)
	}
	return []string{"ZLEXCOUNT", "l", bound(), bound()}
}

// geo is about the set g.
func (g generator) geo() []string {
	place := func() (string, string) {
		return strconv.FormatFloat(g.Float64()*360-180, 'f', 4, 64), strconv.FormatFloat(g.Float64()*170-85, 'f', 4, 64)
	}
	lon, lat := place()
	size := g.pick("0", "10", "500", "3000", "20000", strconv.Itoa(g.IntN(10000)))
	unit := g.pick("km", "mi", "km")
	with := g.some("WITHDIST", "WITHHASH", "WITHCOORD", "ASC", "DESC", "ANY")
	if g.IntN(3) == 0 {
		with = append(with, "COUNT", g.pick("1", "3", "0"))
	}
	switch g.IntN(8) {
	case 0, 1, 2:
		return append(append([]string{"GEOADD", "g"}, g.some("NX", "XX", "CH")...), lon, lat, g.zmember())
	case 3:
		return append([]string{"GEOSEARCH", "g", "FROMLONLAT", lon, lat, "BYRADIUS", size, unit}, with...)
	case 4:
		return append([]string{"GEOSEARCH", "g", "FROMMEMBER", g.zmember(), "BYBOX", size, g.pick("10", "1000", "9000"), unit}, with...)
	case 5:
		return append([]string{"GEOSEARCHSTORE", "g2", "g", "FROMLONLAT", lon, lat, "BYRADIUS", size, unit}, g.some("ASC", "COUNT")...)
	case 6:
		return append([]string{"GEORADIUS", "g", lon, lat, size, unit}, with...)
	}
	return []string{g.pick("GEOPOS", "GEOHASH", "GEODIST"), "g", g.zmember(), g.zmember()}
}
