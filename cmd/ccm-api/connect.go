package main

import (
	"errors"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
)

// connected is a Client and what it has in common with other processes.
type connected struct {
	*ccm.Client
	journal *delivery.Journal // nil: in memory
	endGate func() error
}

// connect opens a Client that keeps to Telegram's rates together with the other
// processes that share its Redis, and the journal of the settings. The caller
// closes it.
func connect(cfg ccm.Config) (*connected, error) {
	endGate, err := shareGate(&cfg)
	if err != nil {
		return nil, err
	}
	journal, err := openJournal(&cfg)
	if err != nil {
		return nil, errors.Join(err, endGate())
	}
	client, err := ccm.Open(cfg)
	if err != nil {
		return nil, errors.Join(err, closeJournal(journal), endGate())
	}
	return &connected{client, journal, endGate}, nil
}

// Close closes the Client first: it uses the others.
func (c *connected) Close() error {
	return errors.Join(c.Client.Close(), closeJournal(c.journal), c.endGate())
}
