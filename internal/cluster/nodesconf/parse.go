package nodesconf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// Parse reads the content of a nodes.conf. Files of Redis 7.0 name one port, which is the TLS port if the
// cluster is a tls-cluster. Every error is a *LineError.
//
// Nodes keep the order of the file; one that is only referred to (as a master, or as the peer of an open
// slot) follows the others without flags or address. Of what Redis does when it loads a file, this is done
// here: a replica's config epoch becomes 0, a node without shard id takes its master's, and CurrentEpoch is
// raised to the highest config epoch.
func Parse(data []byte, tlsCluster bool) (State, error) {
	p := newParser(tlsCluster)
	line := 0
	for text := range strings.SplitSeq(string(data), "\n") {
		line++
		fields := strings.FieldsFunc(text, isBlank)
		if len(fields) == 0 {
			continue
		}
		if err := p.line(fields); err != nil {
			return State{}, &LineError{line, err}
		}
	}
	if p.me == topology.NoNode {
		return State{}, &LineError{0, ErrNoMyself}
	}
	if err := p.finish(); err != nil {
		return State{}, &LineError{0, err}
	}
	return p.state, nil
}

func isBlank(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' }

type parser struct {
	tlsCluster bool
	state      State
	index      map[nodeid.ID]uint16
	masters    []nodeid.ID                     // by node, zero: none
	peers      map[topology.OpenSlot]nodeid.ID // by open slot, whose Peer is 0 until finish
	me         uint16
}

func newParser(tlsCluster bool) *parser {
	p := &parser{
		tlsCluster: tlsCluster,
		index:      map[nodeid.ID]uint16{},
		peers:      map[topology.OpenSlot]nodeid.ID{},
		me:         topology.NoNode,
	}
	p.state.Owners = new(topology.Owners)
	for i := range p.state.Owners {
		p.state.Owners[i] = topology.NoNode
	}
	return p
}

func (p *parser) line(fields []string) error {
	if strings.EqualFold(fields[0], "vars") {
		return p.vars(fields[1:])
	}
	const fixedFields = 8
	if len(fields) < fixedFields {
		return fmt.Errorf("%w: %d fields, a node has at least %d", ErrSyntax, len(fields), fixedFields)
	}
	i, err := p.describe(fields[0])
	if err != nil {
		return err
	}
	if err := p.address(i, fields[1]); err != nil {
		return err
	}
	if err := p.status(i, fields[2:fixedFields]); err != nil {
		return err
	}
	for _, field := range fields[fixedFields:] {
		if err := p.slots(i, field); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) vars(fields []string) error {
	if len(fields)%2 != 0 {
		return fmt.Errorf("%w: a variable without a value", ErrSyntax)
	}
	for i := 0; i < len(fields); i += 2 {
		var target *uint64
		switch strings.ToLower(fields[i]) {
		case "currentepoch":
			target = &p.state.CurrentEpoch
		case "lastvoteepoch":
			target = &p.state.LastVoteEpoch
		default:
			continue // later versions may add more
		}
		value, err := strconv.ParseUint(fields[i+1], 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %s is not a number: %q", ErrSyntax, fields[i], fields[i+1])
		}
		*target = value
	}
	return nil
}

// describe makes the node with the given id and returns its index.
func (p *parser) describe(id string) (uint16, error) {
	parsed, err := parseID(id)
	if err != nil {
		return 0, err
	}
	if _, known := p.index[parsed]; known {
		return 0, fmt.Errorf("%w: node %s has a line already", ErrSyntax, id)
	}
	return p.add(parsed)
}

// add makes a node of which only the id is known.
func (p *parser) add(id nodeid.ID) (uint16, error) {
	if len(p.state.Nodes) == topology.MaxNodes {
		return 0, fmt.Errorf("%w: more than %d nodes", ErrSyntax, topology.MaxNodes)
	}
	i := uint16(len(p.state.Nodes))
	p.index[id] = i
	p.state.Nodes = append(p.state.Nodes, topology.Node{ID: id, Master: topology.NoNode})
	p.masters = append(p.masters, nodeid.ID{})
	return i, nil
}

func parseID(text string) (nodeid.ID, error) {
	id, err := nodeid.Parse(text)
	if err != nil {
		return nodeid.ID{}, fmt.Errorf("%w: %q", err, text)
	}
	return id, nil
}

// address reads "ip:port@busport[,hostname[,name=value]…]". Old files have no "@busport".
func (p *parser) address(i uint16, field string) error {
	node := &p.state.Nodes[i]
	address, rest, _ := strings.Cut(field, ",")
	hostname, rest, hasAux := strings.Cut(rest, ",")
	node.Hostname = hostname

	colon := strings.LastIndexByte(address, ':')
	if colon < 0 {
		return fmt.Errorf("%w: no port in the address %q", ErrSyntax, address)
	}
	const longestIP = 45
	if colon > longestIP {
		return fmt.Errorf("%w: the IP %q is too long", ErrSyntax, address[:colon])
	}
	node.IP = address[:colon]
	portText, busText, hasBus := strings.Cut(address[colon+1:], "@")
	port, err := parsePort(portText)
	if err != nil {
		return err
	}
	var ports auxPorts
	if hasAux {
		if ports, err = p.aux(node, rest); err != nil {
			return err
		}
	}
	switch {
	case !ports.tcp && !ports.tls && p.tlsCluster:
		node.TLSPort = port
	case !ports.tcp:
		node.Port = port
	case !ports.tls:
		node.TLSPort = port
	}
	if !hasBus {
		const busOffset = 10000
		busText = strconv.Itoa(int(port) + busOffset)
	}
	node.BusPort, err = parsePort(busText)
	return err
}

// auxPorts tells which ports were given by fields of their own.
type auxPorts struct{ tcp, tls bool }

// aux reads "name=value" fields, in any order.
func (p *parser) aux(node *topology.Node, text string) (ports auxPorts, err error) {
	for field := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(field, "=")
		if !ok {
			return ports, fmt.Errorf("%w: %q is not name=value", ErrSyntax, field)
		}
		switch name {
		case "shard-id":
			if node.ShardID, err = parseID(value); err != nil {
				return ports, err
			}
		case "nodename":
			if !validAux(value) {
				return ports, fmt.Errorf("%w: invalid nodename %q", ErrSyntax, value)
			}
			node.Nodename = value
		case "tcp-port":
			ports.tcp = true
			if node.Port, err = parsePort(value); err != nil {
				return ports, err
			}
		case "tls-port":
			ports.tls = true
			if node.TLSPort, err = parsePort(value); err != nil {
				return ports, err
			}
		case "client-ipv4", "client-ipv6", "client-port", "client-tls-port", "availability-zone", "replica-priority":
			// Valkey's: of no use here, and not kept.
		default:
			return ports, fmt.Errorf("%w: unknown field %q", ErrSyntax, name)
		}
	}
	return ports, nil
}

func parsePort(text string) (uint16, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%w: not a port: %q", ErrSyntax, text)
	}
	return uint16(port), nil
}

// status reads "flags master ping pong epoch link".
func (p *parser) status(i uint16, fields []string) error {
	node := &p.state.Nodes[i]
	var err error
	if node.Flags, err = bus.ParseFlags(fields[0]); err != nil {
		return err
	}
	if node.Flags.Has(bus.FlagMyself) {
		if p.me != topology.NoNode {
			return fmt.Errorf("%w: a second node is flagged myself", ErrSyntax)
		}
		p.me = i
	}
	if fields[1][0] != '-' {
		if p.masters[i], err = parseID(fields[1]); err != nil {
			return err
		}
		if p.masters[i] == node.ID {
			return fmt.Errorf("%w: the node replicates itself", ErrSyntax)
		}
	}
	ping, errPing := strconv.ParseInt(fields[2], 10, 64)
	pong, errPong := strconv.ParseInt(fields[3], 10, 64)
	epoch, errEpoch := strconv.ParseUint(fields[4], 10, 64)
	if errPing != nil || errPong != nil || errEpoch != nil {
		return fmt.Errorf("%w: ping, pong and epoch are numbers, not %q", ErrSyntax, fields[2:5])
	}
	node.PingSentMs, node.PongReceivedMs, node.ConfigEpoch = ping, pong, epoch
	node.Connected = fields[5] == "connected"
	return nil
}

// slots reads "7", "7-9", "[7->-id]" or "[7-<-id]".
func (p *parser) slots(i uint16, field string) error {
	if inner, isOpen := strings.CutPrefix(field, "["); isOpen {
		return p.openSlot(inner, field)
	}
	startText, endText, isRange := strings.Cut(field, "-")
	if !isRange {
		endText = startText
	}
	start, okStart := parseSlot(startText)
	end, okEnd := parseSlot(endText)
	if !okStart || !okEnd || start > end {
		return fmt.Errorf("%w: not a range of slots: %q", ErrSyntax, field)
	}
	for s := start; s <= end; s++ {
		if p.state.Owners[s] != topology.NoNode {
			return fmt.Errorf("%w: slot %d has an owner already", ErrSyntax, s)
		}
		p.state.Owners[s] = i
	}
	return nil
}

// openSlot reads "7->-id]" or "7-<-id]".
func (p *parser) openSlot(inner, field string) error {
	slotText, peerText, isMigrating := strings.Cut(inner, "->-")
	isImporting := false
	if !isMigrating {
		slotText, peerText, isImporting = strings.Cut(inner, "-<-")
	}
	s, okSlot := parseSlot(slotText)
	peerText, okEnd := strings.CutSuffix(peerText, "]")
	if !isMigrating && !isImporting || !okSlot || !okEnd {
		return fmt.Errorf("%w: not an open slot: %q", ErrSyntax, field)
	}
	open := topology.OpenSlot{Slot: s, Importing: isImporting}
	if _, twice := p.peers[open]; twice {
		return fmt.Errorf("%w: slot %d is opened twice", ErrSyntax, s)
	}
	peer, err := parseID(peerText)
	if err != nil {
		return err
	}
	p.peers[open] = peer
	p.state.Open = append(p.state.Open, open)
	return nil
}

func parseSlot(text string) (uint16, bool) {
	s, err := strconv.ParseUint(text, 10, 16)
	return uint16(s), err == nil && s < slot.Count
}

// finish settles what depends on several lines.
func (p *parser) finish() (err error) {
	s := &p.state
	s.Me = p.me
	for i := range s.Open {
		if s.Open[i].Peer, err = p.resolve(p.peers[s.Open[i]]); err != nil {
			return err
		}
	}
	slices.SortFunc(s.Open, compareOpen)
	for i := range p.masters {
		if p.masters[i].IsZero() {
			continue
		}
		master, err := p.resolve(p.masters[i])
		if err != nil {
			return err
		}
		s.Nodes[i].Master = master
	}
	for i := range s.Nodes {
		s.Nodes[i] = asReplica(s, s.Nodes[i])
		s.CurrentEpoch = max(s.CurrentEpoch, s.Nodes[i].ConfigEpoch)
	}
	return nil
}

// resolve returns the index of the node with the given id. One without a line of its own is made.
func (p *parser) resolve(id nodeid.ID) (uint16, error) {
	if i, known := p.index[id]; known {
		return i, nil
	}
	return p.add(id)
}

// asReplica gives a node that has a master what it owes to it.
func asReplica(s *State, node topology.Node) topology.Node {
	if node.Master == topology.NoNode {
		return node
	}
	if shard := s.Nodes[node.Master].ShardID; !shard.IsZero() {
		node.ShardID = shard
	}
	if node.Flags.Has(bus.FlagSlave) {
		node.ConfigEpoch = 0
	}
	return node
}

// compareOpen orders open slots by number, migrating before importing.
func compareOpen(a, b topology.OpenSlot) int {
	switch {
	case a.Slot != b.Slot:
		return int(a.Slot) - int(b.Slot)
	case a.Importing == b.Importing:
		return 0
	case b.Importing:
		return -1
	}
	return 1
}
