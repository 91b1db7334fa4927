package telegramtest

import "time"

// limits are token buckets of the usual sizes.
type limits struct {
	all    bucket
	byChat map[int64]*chatLimits
}

type chatLimits struct{ second, minute bucket }

// bucket holds up to burst tokens and gets one each interval.
type bucket struct {
	burst    float64
	interval time.Duration
	tokens   float64
	at       time.Time
}

func newBucket(burst int, interval time.Duration, now time.Time) bucket {
	return bucket{burst: float64(burst), interval: interval, tokens: float64(burst), at: now}
}

// wait fills the bucket up to now and says how long the next token takes; 0: one is there.
func (b *bucket) wait(now time.Time) time.Duration {
	b.tokens = min(b.burst, b.tokens+float64(now.Sub(b.at))/float64(b.interval))
	b.at = now
	if b.tokens >= 1 {
		return 0
	}
	return time.Duration((1 - b.tokens) * float64(b.interval))
}

// LimitRates switches the rate limits on: about 1 message a second in a chat
// (short bursts pass), 20 a minute in a group, 30 a second over all chats, and
// one setWebhook a second.
// https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
func (s *Server) LimitRates() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = &limits{all: newBucket(30, time.Second/30, s.Now()), byChat: map[int64]*chatLimits{}}
}

// limit takes a token of each bucket a chat's message needs, or answers 429.
func (s *Server) limit(c *chat) *failure {
	if s.limits == nil {
		return nil
	}
	now := s.Now()
	own := s.limits.byChat[c.ID]
	if own == nil {
		own = &chatLimits{second: newBucket(3, time.Second, now), minute: newBucket(20, 3*time.Second, now)}
		s.limits.byChat[c.ID] = own
	}
	buckets := []*bucket{&s.limits.all, &own.second}
	if c.ID < 0 {
		buckets = append(buckets, &own.minute)
	}
	var longest time.Duration
	for _, b := range buckets {
		longest = max(longest, b.wait(now))
	}
	if longest > 0 {
		return tooMany(int((longest + time.Second - 1) / time.Second))
	}
	for _, b := range buckets {
		b.tokens--
	}
	return nil
}
