package web

import (
	"net/http"

	"github.com/tidelock/tidelock/internal/db"
)

// locksPage lists every lock.
type locksPage struct {
	Locks []lockView `json:"locks"`
	chooser
}

func (s *site) locks(r *http.Request) (shown, error) {
	p := locksPage{Locks: []lockView{}}
	err := s.DB.Read(r.Context(), func(q db.Querier) error {
		l, err := s.listing(r.Context(), q, r)
		if err != nil {
			return err
		}
		p.chooser = l.chooser("")
		all, err := listLocks(r.Context(), q, l.client.ID)
		for _, one := range all {
			v := s.viewLock(one.Lock, one.client, viewRepo(one.repo))
			v.Kind = one.kind
			p.Locks = append(p.Locks, v)
		}
		return err
	})
	return shown{title: "Locks", nav: "locks", live: calm, data: p}, err
}
