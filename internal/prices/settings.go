package prices

import (
	"slices"
	"strings"
	"time"
)

// RefreshSettings say which price lists the server reads by itself. The zero
// value is none.
type RefreshSettings struct {
	Every time.Duration // 0 is never
	Lists []RefreshList
}

// RefreshList is a cloud whose lists are read, each currency of it apart.
type RefreshList struct {
	Query
	KeySecret string // the name of the secret that is Google's API key; "" for none
}

// refreshed is one list that is read on the schedule.
type refreshed struct {
	List
	keySecret string
}

// name tells the list apart from the others, for people too.
func (r refreshed) name() string {
	parts := []string{r.Cloud, r.Offer}
	if r.Region != "" {
		parts = append(parts, "in "+r.Region)
	}
	if r.Currency != "" && r.Currency != dollars {
		parts = append(parts, "in "+r.Currency)
	}
	return strings.Join(parts, " ")
}

// lists are all that is to be read.
func (s RefreshSettings) lists() ([]refreshed, error) {
	var all []refreshed
	for _, l := range s.Lists {
		lists, err := Lists(l.Query)
		if err != nil {
			return nil, err
		}
		for _, one := range lists {
			all = append(all, refreshed{one, l.KeySecret})
		}
	}
	return all, nil
}

// Of leaves those of lists that are to be read: what was once read and no longer
// is asked for is nobody's trouble.
func (s RefreshSettings) Of(all []Refresh) ([]Refresh, error) {
	lists, err := s.lists()
	if err != nil {
		return nil, err
	}
	var out []Refresh
	for _, r := range all {
		if slices.ContainsFunc(lists, func(l refreshed) bool { return l.name() == r.List }) {
			out = append(out, r)
		}
	}
	return out, nil
}

// Refresh is what came of the scheduled reading of one list.
type Refresh struct {
	List     string    `json:"list"`
	Cloud    string    `json:"cloud"`
	Tried    time.Time `json:"tried_at"`
	Done     time.Time `json:"done_at,omitzero"` // zero: it never went well
	Failures int       `json:"failures"`         // since then
	Error    string    `json:"error,omitempty"`
}

// retryFirst is when a list that could not be read is tried again, the first
// time: after that twice as long each time, up to the schedule's own.
const retryFirst = 15 * time.Minute

// Next returns when the list is due again.
func (r Refresh) Next(every time.Duration) time.Time {
	wait := every
	if r.Failures > 0 {
		wait = min(every, retryFirst<<min(r.Failures-1, 20))
	}
	return r.Tried.Add(wait)
}

// Overdue reports whether a list has not been read for more than twice as long
// as the schedule says.
func (r Refresh) Overdue(every time.Duration, now time.Time) bool {
	return now.Sub(r.Done) > 2*every
}
