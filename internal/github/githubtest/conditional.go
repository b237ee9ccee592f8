package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sort"
	"strings"
	"time"
)

// conditional gives an answer its ETag and turns it into a 304 where whoever
// asks has it already, which costs nothing of the hourly budget. As at GitHub
// the tag goes with the token too.
func (s *Server) conditional(r *http.Request, out *reply, answer []byte, header http.Header) []byte {
	if r.Method != http.MethodGet || out.status != http.StatusOK {
		return answer
	}
	sum := sha256.Sum256(append([]byte(r.Header.Get("Authorization")+"\n"), answer...))
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	header.Set("ETag", tag)
	if r.Header.Get("If-None-Match") != tag {
		return answer
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if who, err := s.principalOf(r); err == nil && who.token != nil && who.token.install != nil && who.token.install.used > 0 {
		who.token.install.used--
	}
	out.status, out.body = http.StatusNotModified, nil
	header.Del("Content-Type")
	return nil
}

// listRepoComments lists the comments of all pull requests of a repository:
// those that were changed at since or later. Oldest first, unless asked
// otherwise.
func listRepoComments(q *request) reply {
	query := q.URL.Query()
	var since time.Time
	if text := query.Get("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, text); err != nil {
			return invalid("IssueComment", "since", "since is no time")
		}
	}
	var all []*comment
	for _, c := range q.repo.comments {
		if !c.updated.Truncate(time.Second).Before(since) {
			all = append(all, c)
		}
	}
	at := func(c *comment) time.Time { return c.created }
	if query.Get("sort") == "updated" {
		at = func(c *comment) time.Time { return c.updated }
	}
	sort.Slice(all, func(i, j int) bool {
		if !at(all[i]).Equal(at(all[j])) {
			return at(all[i]).Before(at(all[j]))
		}
		return all[i].id < all[j].id
	})
	if strings.EqualFold(query.Get("direction"), "desc") {
		for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
			all[i], all[j] = all[j], all[i]
		}
	}
	out := []any{}
	for _, c := range page(q, all) {
		out = append(out, q.s.commentJSON(c))
	}
	return reply{200, out}
}

// byUpdate orders pulls as sort=updated does: the oldest first.
func byUpdate(all []*pull) {
	sort.SliceStable(all, func(i, j int) bool { return all[i].updated.Before(all[j].updated) })
}
