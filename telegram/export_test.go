package telegram

// GateSize is how many chats the gate in memory keeps.
func GateSize(b *Bot) int { return len(b.gate.(*memoryGate).chats) }
