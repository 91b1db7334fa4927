package redisgate

import "time"

// SetPatience is for a busy machine.
func SetPatience(g *Gate, d time.Duration) { g.patience = d }
