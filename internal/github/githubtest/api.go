package githubtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"
)

// request is an API request on its way to a handler. s.mu is held while the
// handler runs, unless it lets go.
type request struct {
	*http.Request
	s    *Server
	who  principal
	repo *repo // on repository routes
	body []byte
	resp http.Header
}

// reply is what a handler answers; nil body: none.
type reply struct {
	status int
	body   any
}

type handler func(*request) reply

// routes registers what there is. Repository routes are below
// /repos/{owner}/{repo} and /repositories/{id} alike; each names the permission
// and level that it takes.
func (s *Server) routes() {
	s.api, s.repoAPI = mux.NewRouter().UseEncodedPath(), mux.NewRouter().UseEncodedPath()
	handle := func(m *mux.Router, pattern string, h http.Handler) {
		method, path, _ := strings.Cut(pattern, " ")
		m.Handle(path, h).Methods(method)
	}
	app := func(pattern string, h handler) { handle(s.api, pattern, s.guard(h, "app", "")) }
	app("GET /app", getApp)
	app("GET /app/installations", listInstallations)
	app("GET /app/installations/{id:[0-9]+}", getInstallation)
	app("POST /app/installations/{id:[0-9]+}/access_tokens", mintToken)
	app("GET /app/hook/deliveries", listDeliveries)
	app("GET /app/hook/deliveries/{id:[0-9]+}", getDelivery)
	app("POST /app/hook/deliveries/{id:[0-9]+}/attempts", redeliver)
	handle(s.api, "GET /installation/repositories", s.guard(listRepositories, "installation", ""))
	handle(s.api, "POST /app-manifests/{code}/conversions", s.guard(convertManifest, "", ""))
	handle(s.api, "GET /rate_limit", s.guard(rateLimit, "", ""))
	handle(s.api, "GET /orgs/{org}/teams/{slug}", s.guard(getTeam, "installation", ""))
	handle(s.api, "GET /orgs/{org}/teams/{slug}/members", s.guard(listMembers, "installation", ""))
	handle(s.api, "GET /orgs/{org}/teams/{slug}/memberships/{user}", s.guard(getMembership, "installation", ""))

	on := func(permission, level, pattern string, h handler) {
		handle(s.repoAPI, pattern, s.guard(h, permission, level))
	}
	on("metadata", "read", "GET /", getRepo)
	on("metadata", "read", "GET /collaborators/{user}/permission", getPermission)
	on("pull_requests", "read", "GET /pulls", listPulls)
	on("pull_requests", "write", "POST /pulls", createPull)
	on("pull_requests", "read", "GET /pulls/{n:[0-9]+}", getPull)
	on("pull_requests", "read", "GET /pulls/{n:[0-9]+}/reviews", listReviews)
	on("contents", "write", "PUT /pulls/{n:[0-9]+}/merge", mergePull)
	on("contents", "write", "DELETE /git/refs/{ref:.+}", deleteRef)
	on("issues pull_requests", "read", "GET /issues/{n:[0-9]+}/comments", listComments)
	on("issues pull_requests", "write", "POST /issues/{n:[0-9]+}/comments", createComment)
	on("issues pull_requests", "read", "GET /issues/comments", listRepoComments)
	on("issues pull_requests", "read", "GET /issues/comments/{id:[0-9]+}", getComment)
	on("issues pull_requests", "write", "PATCH /issues/comments/{id:[0-9]+}", updateComment)
	on("issues pull_requests", "write", "DELETE /issues/comments/{id:[0-9]+}", deleteComment)
	on("issues pull_requests", "write", "POST /issues/comments/{id:[0-9]+}/reactions", createReaction)
	on("issues pull_requests", "write", "POST /issues/{n:[0-9]+}/labels", addLabels)
	on("checks", "write", "POST /check-runs", createCheck)
	on("checks", "write", "PATCH /check-runs/{id:[0-9]+}", updateCheck)
	on("checks", "read", "GET /check-runs/{id:[0-9]+}", getCheck)
	on("checks", "read", "GET /check-runs/{id:[0-9]+}/annotations", listAnnotations)
	s.issueRoutes(on)
	s.gateRoutes(on)
}

// serveAPI answers an API request: faults, who asks, limits, the route, and
// last the contract.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v3")
	body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
	if err != nil || !s.faults.delay(r) {
		return
	}
	refused := s.faults.refusal(r.Method, path)
	if refused != nil && !refused.Done {
		refused.write(w)
		s.record(r.Method, path, refused.Status)
		return
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	out, re := s.answer(r, path, body, header)
	answer := []byte{}
	if out.body != nil {
		if answer, err = json.Marshal(out.body); err != nil {
			panic("githubtest: " + err.Error())
		}
	} else {
		header.Del("Content-Type")
	}
	answer = s.conditional(r, &out, answer, header)
	if s.contract != nil {
		if nullBody(body) {
			body = nil
		}
		s.contract.REST(r, s.contractPath(path, re), body, out.status, header, answer)
	}
	s.record(r.Method, path, out.status)
	if refused != nil {
		refused.write(w)
		return
	}
	for k, v := range header {
		w.Header()[k] = v
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(answer)
}

func (s *Server) record(method, path string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{Method: method, Path: path, Status: status, At: s.opts.Now()})
	s.touch()
}

// contractPath is a path as the contract writes it, which knows repositories
// by name only.
func (s *Server) contractPath(path string, r *repo) string {
	rest, ok := strings.CutPrefix(path, "/repositories/")
	if !ok {
		return path
	}
	name := "some/repository" // one that the asker may not know of
	if r != nil {
		s.mu.Lock() // it may be renamed meanwhile
		name = r.full()
		s.mu.Unlock()
	}
	_, rest, found := strings.Cut(rest, "/")
	if found {
		rest = "/" + rest
	}
	return "/repos/" + name + rest
}

type handled struct {
	*request
	out reply
}

// Header, Write and WriteHeader let the router, which only chooses the handler
// here, answer 404 and 405 by itself.
func (h *handled) Header() http.Header         { return http.Header{} }
func (h *handled) Write(b []byte) (int, error) { return len(b), nil }
func (h *handled) WriteHeader(status int) {
	h.out = fail(http.StatusNotFound, "Not Found")
}

// answer finds the route and runs it, and tells which repository it was about.
func (s *Server) answer(r *http.Request, path string, body []byte, header http.Header) (reply, *repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, err := s.principalOf(r)
	if err != nil {
		var bad authError
		if errors.As(err, &bad) {
			return fail(bad.status, bad.message), nil
		}
		return fail(http.StatusInternalServerError, err.Error()), nil
	}
	if limited := s.count(who, header); limited != nil {
		return *limited, nil
	}
	h := &handled{request: &request{Request: r.Clone(r.Context()), s: s, who: who, body: body, resp: header}}
	router := s.api
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 4)
	rest := ""
	switch {
	case parts[0] == "repos" && len(parts) >= 3:
		h.repo = s.lookup(parts[1], parts[2])
		if len(parts) == 4 {
			rest = parts[3]
		}
		if h.repo != nil && !strings.EqualFold(h.repo.full(), parts[1]+"/"+parts[2]) && who.can(h.repo, "metadata", "read") {
			return s.moved(r, h.repo, rest, header), h.repo
		}
		router = s.repoAPI
	case parts[0] == "repositories" && len(parts) >= 2:
		id, _ := strconv.ParseInt(parts[1], 10, 64)
		h.repo = s.repos[id]
		rest = strings.Join(parts[2:], "/")
		router = s.repoAPI
	}
	if router == s.repoAPI {
		if h.repo == nil || !who.can(h.repo, "metadata", "read") {
			return fail(http.StatusNotFound, "Not Found"), h.repo
		}
		path = "/" + rest
	}
	h.URL.Path, h.URL.RawPath = unescape(path), path
	router.ServeHTTP(h, h.Request)
	return h.out, h.repo
}

// moved answers a request by a former name: 301 to whoever reads, 307 to
// whoever writes.
func (s *Server) moved(r *http.Request, re *repo, rest string, header http.Header) reply {
	status := http.StatusTemporaryRedirect
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		status = http.StatusMovedPermanently
	}
	to := fmt.Sprintf("%s/repositories/%d", s.APIURL(), re.id)
	if rest != "" {
		to += "/" + rest
	}
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	header.Set("Location", to)
	return reply{status, fields{"message": "Moved Permanently", "url": to, "documentation_url": docs}}
}

// count keeps an installation's hourly budget.
func (s *Server) count(who principal, header http.Header) *reply {
	if who.token == nil || who.token.install == nil {
		return nil
	}
	in, now := who.token.install, s.opts.Now()
	if now.Sub(in.window) >= time.Hour || in.window.IsZero() {
		in.window, in.used = now, 0
	}
	spent := in.used >= s.opts.HourLimit
	if !spent {
		in.used++
	}
	header.Set("X-RateLimit-Limit", strconv.Itoa(s.opts.HourLimit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(s.opts.HourLimit-in.used))
	header.Set("X-RateLimit-Reset", strconv.FormatInt(in.window.Add(time.Hour).Unix(), 10))
	header.Set("X-RateLimit-Resource", "core")
	if spent {
		out := fail(http.StatusForbidden, fmt.Sprintf("API rate limit exceeded for installation ID %d.", in.id))
		return &out
	}
	return nil
}

// guard lets in whoever may. permission is "app", "installation", "" for
// anyone, or one or more of a repository's, of which one suffices.
func (s *Server) guard(h handler, permission, level string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := w.(*handled)
		q.Request = r
		switch permission {
		case "":
		case "app":
			if !q.who.app {
				q.out = fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
				return
			}
		case "installation":
			if q.who.token == nil || q.who.token.install == nil {
				q.out = fail(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
				return
			}
		default:
			allowed := false
			for _, p := range strings.Fields(permission) {
				allowed = allowed || q.who.can(q.repo, p, level)
			}
			if !allowed {
				q.out = fail(http.StatusForbidden, "Resource not accessible by integration")
				return
			}
			if level == "write" && q.repo.archived {
				q.out = fail(http.StatusForbidden, "Repository was archived so is read-only.")
				return
			}
		}
		q.out = h(q.request)
	})
}

const docs = "https://docs.github.com/rest"

func fail(status int, message string) reply {
	return reply{status, fields{"message": message, "documentation_url": docs, "status": strconv.Itoa(status)}}
}

// invalid is GitHub's answer to a request that breaks a rule.
func invalid(resource, field, message string) reply {
	return reply{http.StatusUnprocessableEntity, fields{"message": "Validation Failed", "documentation_url": docs, "status": "422",
		"errors": []any{fields{"resource": resource, "code": "custom", "field": field, "message": message}}}}
}

// PathValue is a variable of the route.
func (q *request) PathValue(name string) string { return unescape(mux.Vars(q.Request)[name]) }

// unescape decodes a path; one that cannot be decoded stays as it is.
func unescape(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}

func (q *request) decode(into any) bool {
	return len(bytes.TrimSpace(q.body)) == 0 || json.Unmarshal(q.body, into) == nil
}

func (q *request) int(name string) int64 {
	n, _ := strconv.ParseInt(q.PathValue(name), 10, 64)
	return n
}

// actor is who a change is attributed to.
func (q *request) actor() *user { return q.who.user }

func (q *request) byApp() bool { return q.who.token != nil && q.who.token.install != nil }

// page cuts a list to the page that was asked for and names the next one.
func page[T any](q *request, all []T) []T {
	query := q.URL.Query()
	size, _ := strconv.Atoi(query.Get("per_page"))
	if size <= 0 {
		size = 30
	}
	size = min(size, 100)
	n, _ := strconv.Atoi(query.Get("page"))
	n = max(n, 1)
	start := min((n-1)*size, len(all))
	end := min(start+size, len(all))
	if end < len(all) {
		query.Set("page", strconv.Itoa(n+1))
		query.Set("per_page", strconv.Itoa(size))
		q.resp.Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, q.s.APIURL(), q.URL.Path, query.Encode()))
	}
	return all[start:end]
}
