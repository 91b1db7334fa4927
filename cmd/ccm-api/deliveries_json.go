package main

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/ccmwf/ccm/ccm"
)

// deliveryRow is a delivery for programs, with the names of GET /deliveries.
type deliveryRow struct {
	ID         string    `json:"delivery_id"`
	State      ccm.State `json:"state"`
	Report     string    `json:"report"`
	Chat       string    `json:"chat"`
	Branch     *int      `json:"branch_id"`
	BeganAt    time.Time `json:"began_at"`
	PartsSent  int       `json:"parts_sent"`
	PartsTotal int       `json:"parts_total"`
	MessageID  string    `json:"message_id"`
	Key        string    `json:"key"`
	Purged     bool      `json:"purged"`
}

func newDeliveryRow(r ccm.Record) deliveryRow {
	row := deliveryRow{ID: r.ID, State: r.State, Report: r.Report, Chat: r.To.Chat, Branch: r.Meta.Branch, BeganAt: r.BeganAt.UTC(),
		PartsTotal: len(r.Parts), MessageID: r.Meta.MessageID, Key: r.Key, Purged: r.Purged}
	for _, p := range r.Parts {
		if p.State == ccm.Delivered {
			row.PartsSent++
		}
	}
	return row
}

// deliveryShown is one delivery for programs.
type deliveryShown struct {
	deliveryRow
	Decisions []decisionShown `json:"decisions"`
	Request   json.RawMessage `json:"request"`
	Parts     []partShown     `json:"parts"`
}

type decisionShown struct {
	Action ccm.Action `json:"action"`
	Who    string     `json:"who"`
	At     time.Time  `json:"at"`
}

type partShown struct {
	Part      int       `json:"part"`
	State     ccm.State `json:"state"`
	MessageID int64     `json:"message_id,omitempty"`
	Chat      string    `json:"chat,omitempty"`
	Doubtful  bool      `json:"doubtful"`
	Error     string    `json:"error,omitempty"`
	Text      string    `json:"text"`
}

func newDeliveryShown(r ccm.Record) deliveryShown {
	s := deliveryShown{deliveryRow: newDeliveryRow(r), Decisions: []decisionShown{}, Request: r.Request, Parts: []partShown{}}
	for _, d := range r.Decisions {
		s.Decisions = append(s.Decisions, decisionShown(d))
	}
	for i, p := range r.Parts {
		shown := partShown{Part: i + 1, State: p.State, MessageID: p.Sent.ID, Chat: p.Sent.Chat, Doubtful: p.Doubtful, Text: p.Part.Plain}
		if known, ok := errors.AsType[*ccm.Error](p.Err); ok {
			shown.Error = known.Message
		}
		s.Parts = append(s.Parts, shown)
	}
	return s
}
