package githubtest

import (
	"encoding/json"
	"net/http"
	"sort"
	"strconv"
	"time"
)

func getApp(q *request) reply { return reply{200, q.s.appJSON()} }

func (s *Server) sortedInstalls() []*installation {
	var all []*installation
	for _, in := range s.installs {
		if !in.deleted {
			all = append(all, in)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	return all
}

func listInstallations(q *request) reply {
	out := []any{}
	for _, in := range page(q, q.s.sortedInstalls()) {
		out = append(out, q.s.installationJSON(in))
	}
	return reply{200, out}
}

func getInstallation(q *request) reply {
	in := q.s.installs[q.int("id")]
	if in == nil || in.deleted {
		return fail(404, "Not Found")
	}
	return reply{200, q.s.installationJSON(in)}
}

// mintToken makes an installation token, narrowed as asked.
func mintToken(q *request) reply {
	s := q.s
	in := s.installs[q.int("id")]
	if in == nil || in.deleted {
		return fail(404, "Not Found")
	}
	if !in.suspended.IsZero() {
		return fail(403, "This installation has been suspended")
	}
	var ask struct {
		IDs         []int64           `json:"repository_ids"`
		Names       []string          `json:"repositories"`
		Permissions map[string]string `json:"permissions"`
	}
	if !q.decode(&ask) {
		return fail(422, "Problems parsing JSON")
	}
	t := &token{install: in, perms: map[string]string{}, expires: s.opts.Now().Add(s.opts.TokenLife)}
	for k, v := range s.opts.Permissions {
		t.perms[k] = v
	}
	if ask.Permissions != nil {
		for k, v := range ask.Permissions {
			if !covers(s.opts.Permissions[k], v) {
				return fail(422, "The permissions requested are not granted to this installation.")
			}
		}
		t.perms = ask.Permissions
		t.perms["metadata"] = "read"
	}
	for _, name := range ask.Names {
		if r := s.lookup(in.account.login, name); r != nil {
			ask.IDs = append(ask.IDs, r.id)
		}
	}
	selection := "all"
	out := fields{}
	if len(ask.IDs) > 0 || len(ask.Names) > 0 {
		selection = "selected"
		t.repos = map[int64]bool{}
		list := []any{}
		for _, id := range ask.IDs {
			if !in.repos[id] {
				return fail(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
			}
			t.repos[id] = true
			list = append(list, s.repoJSON(s.repos[id]))
		}
		out["repositories"] = list
	}
	text := s.newToken()
	s.tokens[text] = t
	out["token"], out["expires_at"], out["permissions"], out["repository_selection"] = text, stamp(t.expires), t.perms, selection
	return reply{201, out}
}

func listRepositories(q *request) reply {
	t := q.who.token
	var all []*repo
	for id := range t.install.repos {
		if t.repos == nil || t.repos[id] {
			all = append(all, q.s.repos[id])
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	list := []any{}
	for _, r := range page(q, all) {
		list = append(list, q.s.repoJSON(r))
	}
	return reply{200, fields{"total_count": len(all), "repositories": list}}
}

func rateLimit(q *request) reply {
	used, reset := 0, q.s.opts.Now().Add(time.Hour)
	if q.byApp() {
		used, reset = q.who.token.install.used, q.who.token.install.window.Add(time.Hour)
	}
	core := fields{"limit": q.s.opts.HourLimit, "remaining": q.s.opts.HourLimit - used, "used": used, "reset": reset.Unix()}
	return reply{200, fields{"resources": fields{"core": core, "search": core}, "rate": core}}
}

// deliveryJSON is a line of the delivery log.
func deliveryJSON(d *Delivery) fields {
	status := d.Status
	if !d.Done {
		status = "pending"
	}
	out := fields{"id": d.ID, "guid": d.GUID, "delivered_at": stamp(d.At), "redelivery": d.Redelivery, "duration": d.Duration.Seconds(),
		"status": status, "status_code": d.StatusCode, "event": d.Event, "action": orNil(d.Action), "installation_id": d.InstallationID,
		"repository_id": nil, "throttled_at": nil}
	if d.RepositoryID != 0 {
		out["repository_id"] = d.RepositoryID
	}
	return out
}

// listDeliveries lists the log, newest first, by cursor. What is still on its
// way is not in it yet.
func listDeliveries(q *request) reply {
	size, _ := strconv.Atoi(q.URL.Query().Get("per_page"))
	if size <= 0 || size > 100 {
		size = 30
	}
	before := int64(1) << 62
	if c := q.URL.Query().Get("cursor"); c != "" {
		before, _ = strconv.ParseInt(c, 10, 64)
	}
	queue := q.s.queue
	queue.mu.Lock()
	defer queue.mu.Unlock()
	out := []any{}
	for i := len(queue.log) - 1; i >= 0; i-- {
		d := queue.log[i]
		if d.ID >= before || !d.Done {
			continue
		}
		if len(out) == size {
			q.resp.Set("Link", "<"+q.s.APIURL()+"/app/hook/deliveries?per_page="+strconv.Itoa(size)+"&cursor="+strconv.FormatInt(d.ID+1, 10)+`>; rel="next"`)
			break
		}
		out = append(out, deliveryJSON(d))
	}
	return reply{200, out}
}

func getDelivery(q *request) reply {
	queue := q.s.queue
	queue.mu.Lock()
	defer queue.mu.Unlock()
	d := queue.byID[q.int("id")]
	if d == nil {
		return fail(404, "Not Found")
	}
	out := deliveryJSON(d)
	headers := fields{}
	for k := range d.headers {
		headers[k] = d.headers.Get(k)
	}
	out["url"] = q.s.opts.WebhookURL
	out["request"] = fields{"headers": headers, "payload": json.RawMessage(d.Payload)}
	out["response"] = fields{"headers": fields{}, "payload": ""}
	return reply{200, out}
}

func redeliver(q *request) reply {
	if !q.s.redeliver(q.int("id")) {
		return fail(http.StatusNotFound, "Not Found")
	}
	return reply{http.StatusAccepted, fields{}}
}
