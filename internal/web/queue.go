package web

import (
	"encoding/json"
	"net/http"
)

// queuePage shows how the work goes, and what nobody could do.
type queuePage struct {
	Counts     map[string]int `json:"counts"` // waiting, running, retrying, dead, done (within the last hour)
	Dead       []deadView     `json:"dead"`
	Deliveries []deliveryView `json:"deliveries"` // webhooks that were set aside
	Nodes      []nodeView     `json:"nodes"`
}

// deadView is a job that is not tried again by itself.
type deadView struct {
	ID       int64           `json:"id"`
	Kind     string          `json:"kind"`
	Lane     string          `json:"lane"`
	Args     json.RawMessage `json:"args"`
	Attempts int             `json:"attempts"`
	Error    string          `json:"error"`
	Created  moment          `json:"created_at"`
	Died     moment          `json:"died_at,omitzero"`
}

// maxSetAside is how many dead jobs and webhooks are shown.
const maxSetAside = 100

func (s *site) queue(r *http.Request) (shown, error) {
	p := queuePage{Dead: []deadView{}}
	var err error
	if p.Counts, err = s.Queue.Counts(r.Context()); err != nil {
		return shown{}, err
	}
	dead, err := s.Queue.Dead(r.Context(), maxSetAside)
	if err != nil {
		return shown{}, err
	}
	for _, d := range dead {
		p.Dead = append(p.Dead, deadView{
			ID: d.ID, Kind: d.Kind, Lane: d.Lane, Args: d.Args, Attempts: d.Attempts, Error: plain(d.Error), Created: s.at(d.Created), Died: s.at(d.Died),
		})
	}
	if p.Deliveries, err = s.failedDeliveries(r.Context(), s.DB, maxSetAside); err != nil {
		return shown{}, err
	}
	if p.Nodes, err = s.nodes(r.Context(), s.DB); err != nil {
		return shown{}, err
	}
	return shown{title: "Queue", nav: "queue", live: 5, data: p}, nil
}
