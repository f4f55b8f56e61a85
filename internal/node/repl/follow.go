package repl

// follower is the link to our master.
type follower struct{}
