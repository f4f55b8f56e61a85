package nodesconf

import "github.com/skeindb/skein/internal/cluster/topology"

// State is the content of nodes.conf.
type State = topology.Saved
