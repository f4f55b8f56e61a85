package topology

import (
	"fmt"

	"github.com/skeindb/skein/internal/cluster/bus"
)

// AppendInfo appends CLUSTER INFO: a line "name:value" for each fact, ended by CR LF. Packet counts are
// shown by type, those that are not 0, all sent and their sum before all received.
func (s *Snapshot) AppendInfo(dst []byte) []byte {
	assigned, ok, pfail, fail := s.countSlots()
	dst = fmt.Appendf(dst, "cluster_state:%s\r\n", s.State)
	dst = fmt.Appendf(dst, "cluster_slots_assigned:%d\r\n", assigned)
	dst = fmt.Appendf(dst, "cluster_slots_ok:%d\r\n", ok)
	dst = fmt.Appendf(dst, "cluster_slots_pfail:%d\r\n", pfail)
	dst = fmt.Appendf(dst, "cluster_slots_fail:%d\r\n", fail)
	dst = fmt.Appendf(dst, "cluster_known_nodes:%d\r\n", len(s.Nodes))
	dst = fmt.Appendf(dst, "cluster_size:%d\r\n", s.Size)
	dst = fmt.Appendf(dst, "cluster_current_epoch:%d\r\n", s.CurrentEpoch)
	dst = fmt.Appendf(dst, "cluster_my_epoch:%d\r\n", s.Epoch(s.Me))
	dst = appendCounts(dst, "sent", &s.Sent)
	dst = appendCounts(dst, "received", &s.Received)
	return fmt.Appendf(dst, "total_cluster_links_buffer_limit_exceeded:%d\r\n", s.LinksBufferLimitExceeded)
}

// countSlots counts the slots by the health of their owners.
func (s *Snapshot) countSlots() (assigned, ok, pfail, fail int) {
	for _, r := range s.runs() {
		n := r.Len()
		assigned += n
		switch flags := s.Nodes[r.owner].Flags; {
		case flags.Has(bus.FlagFail):
			fail += n
		case flags.Has(bus.FlagPFail):
			pfail += n
		default:
			ok += n
		}
	}
	return assigned, ok, pfail, fail
}

func appendCounts(dst []byte, direction string, counts *[bus.TypeCount]uint64) []byte {
	var total uint64
	for i, count := range counts {
		if count == 0 {
			continue
		}
		total += count
		dst = fmt.Appendf(dst, "cluster_stats_messages_%s_%s:%d\r\n", bus.Type(i), direction, count)
	}
	return fmt.Appendf(dst, "cluster_stats_messages_%s:%d\r\n", direction, total)
}
