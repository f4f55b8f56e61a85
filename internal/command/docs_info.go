package command

import "github.com/skeindb/skein/internal/base/resp"

// writeInfo writes what COMMAND INFO says of a command, ten elements, or the
// null for no command:
//
//	name, arity, flags, first key, last key, step,
//	ACL categories, tips, key specifications, subcommands (each of the same form)
func writeInfo(w *resp.Writer, s *Spec) {
	if s == nil {
		w.Null()
		return
	}
	first, last, step := s.LegacyRange()
	w.Array(10)
	w.BulkString(s.full)
	w.Int(int64(s.Arity))
	writeStatuses(w, s.Flags.Words())
	w.Int(int64(first))
	w.Int(int64(last))
	w.Int(int64(step))
	writeCategories(w, s.categories)
	writeBulks(w.Set, w, s.Tips)
	w.Set(len(s.Keys))
	for i := range s.Keys {
		writeKeySpec(w, &s.Keys[i])
	}
	if len(s.Subs) == 0 {
		w.Set(0)
		return
	}
	w.Array(len(s.Subs))
	for _, sub := range s.Subs {
		writeInfo(w, sub)
	}
}

func writeCategories(w *resp.Writer, c Categories) {
	words := c.Words()
	for i := range words {
		words[i] = "@" + words[i]
	}
	writeStatuses(w, words)
}

// writeKeySpec writes a map of flags, begin_search and find_keys, and of notes if
// there are any.
func writeKeySpec(w *resp.Writer, k *KeySpec) {
	if k.Notes == "" {
		w.Map(3)
	} else {
		w.Map(4)
		w.BulkString("notes")
		w.BulkString(k.Notes)
	}
	w.BulkString("flags")
	writeStatuses(w, k.Flags.Words())
	w.BulkString("begin_search")
	switch {
	case k.Unknown:
		writeSearch(w, "unknown")
	case k.Keyword != "":
		writeSearch(w, "keyword", field{"keyword", k.Keyword}, field{"startfrom", k.StartFrom})
	default:
		writeSearch(w, "index", field{"index", k.Index})
	}
	w.BulkString("find_keys")
	switch {
	case k.Unknown:
		writeSearch(w, "unknown")
	case k.NumKeys:
		writeSearch(w, "keynum", field{"keynumidx", k.KeyNum}, field{"firstkey", k.FirstKey}, field{"keystep", max(k.KeyNumStep, 1)})
	default:
		writeSearch(w, "range", field{"lastkey", k.Last}, field{"keystep", max(k.Step, 1)}, field{"limit", k.Limit})
	}
}

// field is a pair of a map; its value is a string or an int.
type field struct {
	name  string
	value any
}

// writeSearch writes {type: kind, spec: {fields}}.
func writeSearch(w *resp.Writer, kind string, fields ...field) {
	w.Map(2)
	w.BulkString("type")
	w.BulkString(kind)
	w.BulkString("spec")
	writeFields(w, fields)
}

// writeFields writes a map; a value may also be a func that writes it.
func writeFields(w *resp.Writer, fields []field) {
	w.Map(len(fields))
	for _, f := range fields {
		w.BulkString(f.name)
		switch v := f.value.(type) {
		case string:
			w.BulkString(v)
		case int:
			w.Int(int64(v))
		case func():
			v()
		}
	}
}
