package web

import (
	"net/http"

	"github.com/tidelock/tidelock/internal/db"
)

// historyPage lists runs, the newest first.
type historyPage struct {
	Runs []runView `json:"runs"`
	Next string    `json:"next,omitempty"` // ?before= of the next piece
	chooser
}

func (s *site) history(r *http.Request) (shown, error) {
	p := historyPage{Runs: []runView{}}
	live := calm
	err := s.DB.Read(r.Context(), func(q db.Querier) error {
		l, err := s.listing(r.Context(), q, r)
		if err != nil {
			return err
		}
		all, err := listRuns(r.Context(), q, l.client.ID, l.before, l.limit+1)
		if err != nil {
			return err
		}
		if len(all) > l.limit {
			all = all[:l.limit]
			p.Next = all[len(all)-1].ID
		}
		p.chooser = l.chooser(p.Next)
		for _, one := range all {
			v := s.viewRun(one.Run, one.client, viewRepo(one.repo))
			v.Forbidden = nil // the list reads no report
			if v.Busy() {
				live = lively
			}
			p.Runs = append(p.Runs, v)
		}
		return nil
	})
	return shown{title: "History", nav: "history", live: live, data: p}, err
}
