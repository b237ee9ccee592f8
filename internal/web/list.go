package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Lists come in pieces of pageSize unless ?limit= says otherwise.
const (
	pageSize = 50
	maxLimit = 500
)

// listing is what the reader asked of a list: ?client=, ?before= and ?limit=.
type listing struct {
	client clients.Client // the zero client: all of them
	before string         // list what is older than this ID
	limit  int

	path    string
	more    [][2]string      // what else of the address the list's pieces have in common
	clients []clients.Client // to choose from
}

func (s *site) listing(ctx context.Context, q db.Querier, r *http.Request) (listing, error) {
	l := listing{limit: pageSize, path: r.URL.Path}
	form := r.URL.Query()
	var err error
	if text := form.Get("limit"); text != "" {
		if l.limit, err = strconv.Atoi(text); err != nil || l.limit < 1 || l.limit > maxLimit {
			return l, errs.New(errs.Invalid, "limit must be a number from 1 to %d.", maxLimit)
		}
	}
	if l.before = form.Get("before"); l.before != "" {
		if l.before, err = parseID(l.before); err != nil {
			return l, errs.New(errs.Invalid, "before must be the ID of an entry of the list.")
		}
	}
	if slug := form.Get("client"); slug != "" {
		if l.client, err = s.Clients.BySlug(ctx, q, slug); err != nil {
			return l, err
		}
	}
	l.clients, err = s.Clients.List(ctx, q)
	return l, err
}

// choice is one entry of the list of clients above a list.
type choice struct {
	Name   string
	URL    string
	Chosen bool
}

// choices returns the clients that the list can be narrowed to, none where
// there is only one.
func (l listing) choices() []choice {
	if len(l.clients) < 2 {
		return nil
	}
	all := []choice{{Name: "All clients", URL: l.path, Chosen: l.client.ID == ""}}
	for _, c := range l.clients {
		all = append(all, choice{Name: c.Name, URL: l.path + "?" + url.Values{"client": {c.Slug}}.Encode(), Chosen: c.ID == l.client.ID})
	}
	return all
}

// address returns the list's own address.
func (l listing) address() string {
	v := url.Values{}
	if l.before != "" {
		v.Set("before", l.before)
	}
	if l.client.Slug != "" {
		v.Set("client", l.client.Slug)
	}
	if l.limit != pageSize {
		v.Set("limit", strconv.Itoa(l.limit))
	}
	for _, m := range l.more {
		v.Set(m[0], m[1])
	}
	if len(v) == 0 {
		return l.path
	}
	return l.path + "?" + v.Encode()
}

// pageAfter returns the address of the list's next piece, whose entries are
// older than last; "" where there is none.
func (l listing) pageAfter(last string) string {
	if last == "" {
		return ""
	}
	l.before = last
	return l.address()
}

// chooser is the part of a list's page that JSON does not have.
type chooser struct {
	Choices []choice `json:"-"`
	NextURL string   `json:"-"`
	First   bool     `json:"-"` // whether this is the list's newest piece
}

func (l listing) chooser(next string) chooser {
	return chooser{Choices: l.choices(), NextURL: l.pageAfter(next), First: l.before == ""}
}

// pathID returns the ID in the request's path. What is no ID names nothing.
func pathID(r *http.Request) (string, error) {
	id, err := parseID(mux.Vars(r)["id"])
	if err != nil {
		return "", errs.Wrap(errs.NotFound, err, "There is nothing with that ID here.")
	}
	return id, nil
}

func parseID(text string) (string, error) {
	if len(text) != 36 {
		return "", errs.New(errs.Invalid, "That is not an ID.")
	}
	id, err := uuid.Parse(text)
	return id.String(), err
}
