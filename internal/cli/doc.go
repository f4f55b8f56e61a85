// Package cli is `skein cli`: a small redis-cli, so that a machine with Go only
// can talk to its cluster.
//
//	skein cli -p 7000 SET key value          one command, its reply, an exit code
//	skein cli -c -p 7000 < commands.txt      a command per line
//	skein cli -c -p 7000                     a prompt
//
// Options, prompts, the shapes of replies and exit codes are those of redis-cli
// 7.2, so that scripts written for it work; only its modes (--stat, --bigkeys,
// --pipe and the like) and its cluster manager are not here.
//
// A client holds the state of one conversation. What it is asked for passes
// through three layers:
//
//	repl     lines: words, repetition, words of the console itself, history
//	client   commands: (re)connecting, redirections, streams, MULTI and SELECT
//	link     one connection: bytes out, resp.Values in
//
// On the way back a format makes text of a reply. With a terminal, an editor
// reads the lines: it completes the names of commands, and shows behind the
// cursor which arguments may follow, as the server's COMMAND DOCS tells.
package cli
