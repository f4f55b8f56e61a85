package stream

const idBytes = 16

// RadixNodes is how many nodes a radix tree of the blocks' master IDs has, as redis
// keeps them and tells its clients: a run of bytes without branches is a node, so is a
// branch, and every ID ends in a leaf.
func (s *Stream) RadixNodes() int {
	ids := make([][]byte, 0, s.BlockCount())
	for id := range s.Blocks() {
		b, _ := id.AppendBinary(nil)
		ids = append(ids, b)
	}
	if len(ids) == 0 {
		return 1 // the root
	}
	return radixNodes(ids, 0)
}

// radixNodes counts the nodes below the first depth bytes, which ascending ids share.
func radixNodes(ids [][]byte, depth int) (nodes int) {
	first, last := ids[0], ids[len(ids)-1]
	at := depth
	for at < idBytes && first[at] == last[at] {
		at++
	}
	if at > depth {
		nodes++
	}
	nodes++ // a branch, or the leaf
	for from := 0; at < idBytes && from < len(ids); {
		to := from
		for to < len(ids) && ids[to][at] == ids[from][at] {
			to++
		}
		nodes += radixNodes(ids[from:to], at+1)
		from = to
	}
	return nodes
}
