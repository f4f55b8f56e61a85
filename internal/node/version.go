package node

// Version is Skein's own version; what clients are told of redis is
// config.RedisVersion.
const Version = "0.1.0"
