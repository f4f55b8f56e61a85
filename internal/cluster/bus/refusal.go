package bus

// Refusal is why a master does not vote for a candidate. Redis keeps that to itself. A Skein voter says it with
// a PONG to the candidate, in the second byte of the message flags, which Redis and Valkey leave 0 and do not
// read; a candidate that hears it need not wait for a vote that never comes.
type Refusal uint8

// The refusals. Values that we do not name come from later versions.
const (
	RefusalNone          Refusal = iota
	RefusalOldEpoch              // the epoch of the request is over
	RefusalVoted                 // the vote of this epoch is given
	RefusalNotReplica            // the voter takes the candidate for a master
	RefusalUnknownMaster         // the voter does not know whose replica the candidate is
	RefusalMasterUp              // the voter does not find that the master has failed
	RefusalOldSlots              // somebody owns a slot of the request under a greater epoch
	RefusalLessData              // the voter reaches a sibling of the candidate that has more data
)

var refusalTexts = [...]string{
	RefusalNone:          "for no reason",
	RefusalOldEpoch:      "the epoch of the request is over",
	RefusalVoted:         "it has voted in this epoch already",
	RefusalNotReplica:    "it does not know yet that this node is a replica",
	RefusalUnknownMaster: "it does not know whose replica this node is",
	RefusalMasterUp:      "it does not find that the master has failed",
	RefusalOldSlots:      "it knows a newer owner of a slot of the master",
	RefusalLessData:      "it reaches a replica of the same master that has more data",
}

// String says the reason in words.
func (r Refusal) String() string {
	if int(r) < len(refusalTexts) {
		return refusalTexts[r]
	}
	return "for a reason that this version does not know"
}
