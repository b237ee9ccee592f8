package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// auditPage shows the newest events, and whether the chain holds.
type auditPage struct {
	Chain  chainView   `json:"chain"`
	Events []eventView `json:"events"`
	More   string      `json:"-"` // the address with more events
	chooser
}

// chainView says whether the audit trail is as it was recorded.
type chainView struct {
	State   string `json:"state"` // intact, broken or unknown
	Message string `json:"message"`
	Events  int64  `json:"events"`
	Checked moment `json:"checked_at,omitzero"`
}

// auditSize is how many events are shown unless ?limit= says otherwise.
const auditSize = 100

func (s *site) audit(r *http.Request) (shown, error) {
	p := auditPage{Events: []eventView{}}
	var l listing
	err := s.DB.Read(r.Context(), func(q db.Querier) (err error) {
		l, err = s.listing(r.Context(), q, r)
		return err
	})
	if err != nil {
		return shown{}, err
	}
	if r.URL.Query().Get("limit") == "" {
		l.limit = auditSize
	}
	entries, err := s.Trail.List(r.Context(), l.client.ID, l.limit)
	if err != nil {
		return shown{}, err
	}
	p.chooser = l.chooser("")
	if len(entries) == l.limit && l.limit < maxLimit {
		more := l
		more.limit = maxLimit
		p.More = more.address()
	}
	slugs := slugsOf(l.clients)
	for _, e := range entries {
		p.Events = append(p.Events, eventView{
			Seq: e.Seq, ID: e.ID, Client: slugs[e.Client], At: s.at(e.At), Actor: e.Actor, Action: e.Action, Subject: e.Subject, Detail: e.Detail, Hash: e.Hash,
		})
	}
	p.Chain, err = s.verified(r.Context())
	return shown{title: "Audit trail", nav: "audit", data: p}, err
}

func slugsOf(all []clients.Client) map[string]string {
	slugs := make(map[string]string, len(all))
	for _, c := range all {
		slugs[c.ID] = c.Slug
	}
	return slugs
}

// chainCheck keeps the last answer about the chain: proving it means reading
// the whole trail, which a page that is asked for often must not do each time.
type chainCheck struct {
	turn chan struct{} // holds one token while somebody verifies or looks
	head access.Head
	err  error
	at   time.Time // zero: never verified
}

const (
	chainFresh = time.Minute      // how long an answer about the same head holds
	chainWait  = 10 * time.Second // how long a page waits for the proof
)

// verified says whether the chain holds. Only a failure to ask is an error.
func (s *site) verified(ctx context.Context) (chainView, error) {
	ctx, cancel := context.WithTimeout(ctx, chainWait)
	defer cancel()
	head, err := s.Trail.Head(ctx)
	if errs.Is(err, errs.Conflict) {
		return chainView{State: "broken", Message: errs.Sentence(err), Checked: s.at(s.Now())}, nil
	}
	if err != nil {
		return chainView{}, err
	}
	c := &s.chain
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return unproven(head), nil
	}
	if c.at.IsZero() || c.head != head || s.Now().Sub(c.at) > chainFresh {
		err := s.Trail.Verify(ctx, head)
		if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return unproven(head), nil
		}
		if err != nil && !errs.Is(err, errs.Conflict) {
			return chainView{}, err
		}
		c.head, c.err, c.at = head, err, s.Now()
	}
	v := chainView{State: "intact", Message: "Every event is as it was recorded, and none is missing.", Events: head.Seq, Checked: s.at(c.at)}
	if c.err != nil {
		v.State, v.Message = "broken", errs.Sentence(c.err)
	}
	return v, nil
}

func unproven(head access.Head) chainView {
	return chainView{State: "unknown", Message: "The trail is too long to be verified while a page waits.", Events: head.Seq}
}
