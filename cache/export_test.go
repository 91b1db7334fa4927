package cache

import "time"

// Tests share their machine: what they prove must not hang on 150 ms.
func init() { defaultPatience = 3 * time.Second }
