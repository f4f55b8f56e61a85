package pubsub

import "github.com/skeindb/skein/internal/command"

const (
	whenSubscribing = command.PubSub | command.NoScript | command.Loading | command.Stale
	whenPublishing  = command.PubSub | command.Loading | command.Stale | command.Fast | command.MayReplicate
	whenAsking      = command.PubSub | command.Loading | command.Stale
)

// Specs are the commands of publishing and subscribing.
func (h *Hub) Specs() []*command.Spec {
	return []*command.Spec{
		{Name: "subscribe", Group: "pubsub", Since: "2.0.0", Arity: -2,
			Summary:    "Subscribes to channels.",
			Complexity: "O(N) where N is the number of channels to subscribe to.",
			Flags:      whenSubscribing, Usage: "channel...", Channels: command.ChannelSubscribe,
			Service: func(c *command.Call) { h.subscribe(c, channels) }},
		{Name: "unsubscribe", Group: "pubsub", Since: "2.0.0", Arity: -1,
			Summary:    "Ends subscriptions to the channels given, or to all.",
			Complexity: "O(N) where N is the number of channels to unsubscribe.",
			Flags:      whenSubscribing, Usage: "[channel...]",
			Service: func(c *command.Call) { h.unsubscribe(c, channels) }},
		{Name: "psubscribe", Group: "pubsub", Since: "2.0.0", Arity: -2,
			Summary:    "Subscribes to all channels whose names match a pattern.",
			Complexity: "O(N) where N is the number of patterns to subscribe to.",
			Flags:      whenSubscribing, Usage: "pattern...", Channels: command.ChannelSubscribe | command.ChannelPattern,
			Service: func(c *command.Call) { h.subscribe(c, patterns) }},
		{Name: "punsubscribe", Group: "pubsub", Since: "2.0.0", Arity: -1,
			Summary:    "Ends subscriptions to the patterns given, or to all.",
			Complexity: "O(N) where N is the number of patterns to unsubscribe.",
			Flags:      whenSubscribing, Usage: "[pattern...]",
			Service: func(c *command.Call) { h.unsubscribe(c, patterns) }},
		{Name: "ssubscribe", Group: "pubsub", Since: "7.0.0", Arity: -2,
			Summary:    "Subscribes to shard channels.",
			Complexity: "O(N) where N is the number of shard channels to subscribe to.",
			Flags:      whenSubscribing, Usage: "shardchannel...", Channels: command.ChannelSubscribe, Keys: command.AllKeys(command.KeyNotKey),
			Service: func(c *command.Call) { h.subscribe(c, shardChannels) }},
		{Name: "sunsubscribe", Group: "pubsub", Since: "7.0.0", Arity: -1,
			Summary:    "Ends subscriptions to the shard channels given, or to all.",
			Complexity: "O(N) where N is the number of shard channels to unsubscribe.",
			Flags:      whenSubscribing, Usage: "[shardchannel...]", Keys: command.AllKeys(command.KeyNotKey),
			Service: func(c *command.Call) { h.unsubscribe(c, shardChannels) }},
		{Name: "publish", Group: "pubsub", Since: "2.0.0", Arity: 3,
			Summary:    "Sends a message to a channel.",
			Complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
			Flags:      whenPublishing, Usage: "channel message", Channels: command.ChannelPublish,
			Service: h.publishCommand},
		{Name: "spublish", Group: "pubsub", Since: "7.0.0", Arity: 3,
			Summary:    "Sends a message to a shard channel.",
			Complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
			Flags:      whenPublishing, Usage: "shardchannel message", Channels: command.ChannelPublish, Keys: command.FirstKey(command.KeyNotKey),
			Service: h.spublishCommand},
		{Name: "pubsub", Group: "pubsub", Since: "2.8.0", Arity: -2,
			Summary:    "Tells about channels and their subscribers.",
			Complexity: "Depends on subcommand.",
			Subs:       h.questions()},
	}
}

// questions are the subcommands of PUBSUB.
func (h *Hub) questions() []*command.Spec {
	return []*command.Spec{
		{Name: "channels", Group: "pubsub", Since: "2.8.0", Arity: -2,
			Summary:    "Lists the channels that have subscribers, all or those that match a pattern.",
			Complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)",
			Flags:      whenAsking, Usage: "[pattern]",
			Service: func(c *command.Call) { list(c, h.channels[:]) }},
		{Name: "numpat", Group: "pubsub", Since: "2.8.0", Arity: 2,
			Summary:    "Counts the different patterns that have subscribers.",
			Complexity: "O(1)",
			Flags:      whenAsking,
			Service:    func(c *command.Call) { c.Out.Int(h.topics[patterns].Load()) }},
		{Name: "numsub", Group: "pubsub", Since: "2.8.0", Arity: -2,
			Summary:    "Counts the subscribers of each channel given, without those of patterns.",
			Complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
			Flags:      whenAsking, Usage: "[channel...]",
			Service: func(c *command.Call) { h.sizes(c, channels) }},
		{Name: "shardchannels", Group: "pubsub", Since: "7.0.0", Arity: -2,
			Summary:    "Lists the shard channels that have subscribers, all or those that match a pattern.",
			Complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).",
			Flags:      whenAsking, Usage: "[pattern]",
			Service: func(c *command.Call) { list(c, h.shard[:]) }},
		{Name: "shardnumsub", Group: "pubsub", Since: "7.0.0", Arity: -2,
			Summary:    "Counts the subscribers of each shard channel given.",
			Complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
			Flags:      whenAsking, Usage: "[shardchannel...]",
			Service: func(c *command.Call) { h.sizes(c, shardChannels) }},
		{Name: "help", Group: "pubsub", Since: "6.2.0", Arity: 2,
			Summary:    "Lists the subcommands.",
			Complexity: "O(1)",
			Flags:      command.Loading | command.Stale},
	}
}
