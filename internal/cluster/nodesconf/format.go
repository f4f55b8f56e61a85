package nodesconf

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// Format returns the text of s. A host or node name that would damage the file is left out.
func Format(s *State) []byte {
	var dst []byte
	for i, ranges := range s.Ranges() {
		node := &s.Nodes[i]
		if node.Flags.Has(bus.FlagHandshake) {
			continue
		}
		dst = appendAddress(dst, node)
		dst = s.AppendStatus(dst, uint16(i), ranges)
		dst = append(dst, '\n')
	}
	return fmt.Appendf(dst, "vars currentEpoch %d lastVoteEpoch %d\n", s.CurrentEpoch, s.LastVoteEpoch)
}

func appendAddress(dst []byte, node *topology.Node) []byte {
	dst = node.AppendAddress(dst, node.Port)
	dst = append(dst, ',')
	if !strings.ContainsAny(node.Hostname, ", \t\r\n") {
		dst = append(dst, node.Hostname...)
	}
	dst = append(dst, ",tls-port="...)
	dst = strconv.AppendUint(dst, uint64(node.TLSPort), 10)
	if node.Nodename != "" && validAux(node.Nodename) {
		dst = append(dst, ",nodename="...)
		dst = append(dst, node.Nodename...)
	}
	if !node.ShardID.IsZero() {
		dst = append(dst, ",shard-id="...)
		dst = node.ShardID.AppendHex(dst)
	}
	return dst
}

// validAux reports whether text may be the value of a field: Redis's list of forbidden characters, and
// those that would end the field or the line.
func validAux(text string) bool {
	return !strings.ContainsAny(text, "!#$%&()*+:;<>?@[]^{|}~,=\"'\\ \t\r\n\v\f\x00")
}
