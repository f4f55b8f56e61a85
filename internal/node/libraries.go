package node

// libraries are the node's functions as persist sees them, which is made before they are.
type libraries struct{ n *Node }

// Sources implements persist.Libraries.
func (l libraries) Sources() [][]byte { return l.n.functions.Sources() }

// Prepare implements persist.Libraries.
func (l libraries) Prepare(sources [][]byte) (install func(), err error) {
	return l.n.functions.Prepare(sources)
}

// Merge implements persist.Libraries.
func (l libraries) Merge(sources [][]byte, replace bool) error {
	return l.n.functions.Merge(sources, replace)
}
