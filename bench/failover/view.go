//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// clusterView is what CLUSTER NODES tells of the cluster, without what is about the node that was asked and its links.
func clusterView(nodes string) string {
	var rows []string
	for line := range strings.Lines(nodes) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		flags := strings.TrimPrefix(f[2], "myself,")
		rows = append(rows, fmt.Sprintln(f[0], f[1], flags, f[3], f[6], f[8:]))
	}
	slices.Sort(rows)
	return strings.Join(rows, "")
}

// roleIn tells from a node's CLUSTER NODES whether that node owns a slot, or follows the owner.
func roleIn(nodes string, slot uint16) (owns, follows bool) {
	var owner, me, myMaster string
	for line := range strings.Lines(nodes) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		if strings.Contains(f[2], "myself") {
			me, myMaster = f[0], f[3]
		}
		if slices.ContainsFunc(f[8:], func(r string) bool { return rangeHas(r, slot) }) {
			owner = f[0]
		}
	}
	return owner != "" && owner == me, owner != "" && owner == myMaster
}

// rangeHas reports whether a range as in 0-5460 or 77 has a slot. An open slot, as in [77->-id], is none.
func rangeHas(text string, slot uint16) bool {
	var first, last uint16
	switch n, _ := fmt.Sscanf(text, "%d-%d", &first, &last); n {
	case 1:
		return slot == first
	case 2:
		return first <= slot && slot <= last
	}
	return false
}

// infoField is one field of INFO or CLUSTER INFO, "" if it is not there.
func infoField(text, name string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), name+":"); ok {
			return value
		}
	}
	return ""
}
