package githubtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
)

// Options configures a Server. The zero Options make a server on a free
// loopback port, with its repositories in a temporary folder, that sends no
// webhooks.
type Options struct {
	Addr string // "127.0.0.1:0" when empty
	Dir  string // for the bare repositories; empty: a temporary folder that Close removes

	AppID   int64  // 7001 when zero
	Slug    string // "tidelock" when empty; the bot writes as slug[bot]
	AppName string // "Tidelock" when empty

	WebhookURL    string // where webhooks go; SetWebhook changes it
	WebhookSecret string
	// DeliveryWorkers is how many webhooks are on their way at once. 1 when zero:
	// then they arrive in order, which GitHub does not promise (see Faults).
	DeliveryWorkers int

	// Permissions and Events are what the App was registered with; nil gives
	// what Tidelock asks for.
	Permissions map[string]string
	Events      []string

	TokenLife time.Duration    // of installation tokens; one hour when zero
	HourLimit int              // requests an hour and installation; 5,000 when zero
	Now       func() time.Time // nil: the machine's clock. Token signatures are always checked by the machine's

	// Contract, when set, is told of every request, response and webhook that
	// GitHub's machine-readable contract does not allow.
	Contract func(violation string)
	Log      *slog.Logger
}

// Server is a running stand-in. Its methods are safe for concurrent use. Those
// that play a person (CreateRepo, Repo.Push, Pull.Comment, …) panic where a
// test or demo was written wrongly, such as on a branch that does not exist:
// there is no error that a caller could handle.
type Server struct {
	URL string // http://127.0.0.1:PORT, without a slash at the end

	opts     Options
	key      *rsa.PrivateKey
	contract *contract
	http     *http.Server
	api      *mux.Router
	repoAPI  *mux.Router
	ownDir   bool
	faults   *Faults
	queue    *queue
	work     sync.WaitGroup
	ctx      context.Context
	cancel   context.CancelFunc

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever something happens
	version  int64         // counts what happens
	lastID   int64
	users    map[string]*user // by login in lower case
	repos    map[int64]*repo
	names    map[string]int64 // "owner/name" in lower case, former names included
	installs map[int64]*installation
	tokens   map[string]*token
	teams    map[string]*team // "org/slug" in lower case
	thirds   map[string]*thirdApp
	calls    []Call
	codes    map[string]pending // Apps that wait to be registered
	appOwner *user              // of the App; nil: the one that it begins with
	clientID string
	started  time.Time
}

// Call is one request that the API answered.
type Call struct {
	Method, Path string // as asked for: /repositories/9/pulls/1
	Status       int
	At           time.Time
}

// TB is the part of testing.TB that New needs; this package is linked into the
// demo too, where the testing package has no business.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// New starts a server for a test: the contract is enforced, and the server
// ends with the test.
func New(t TB, o Options) *Server {
	t.Helper()
	if o.Contract == nil {
		o.Contract = func(violation string) { t.Errorf("against GitHub's contract: %s", violation) }
	}
	s, err := Start(o)
	if err != nil {
		t.Fatalf("start the stand-in GitHub: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Start starts a server; Close ends it.
func Start(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.AppID == 0 {
		o.AppID = 7001
	}
	if o.Slug == "" {
		o.Slug = "tidelock"
	}
	if o.AppName == "" {
		o.AppName = "Tidelock"
	}
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.HourLimit == 0 {
		o.HourLimit = 5000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Permissions == nil {
		o.Permissions = map[string]string{"metadata": "read", "contents": "write", "checks": "write", "pull_requests": "write", "issues": "write",
			"statuses": "read", "members": "read", "administration": "read", "merge_queues": "read"}
	}
	if o.Events == nil {
		o.Events = []string{"check_run", "check_suite", "issue_comment", "merge_group", "pull_request", "pull_request_review", "push", "repository", "status"}
	}
	s := &Server{
		opts: o, changed: make(chan struct{}), started: o.Now(),
		users: map[string]*user{}, repos: map[int64]*repo{}, names: map[string]int64{},
		installs: map[int64]*installation{}, tokens: map[string]*token{}, codes: map[string]pending{}, clientID: "Iv23standin",
		teams: map[string]*team{}, thirds: map[string]*thirdApp{},
		lastID: 3_000_000_000, // beyond 32 bits, as GitHub's are
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.faults = &Faults{s: s}
	var err error
	if s.key, err = appKey(); err != nil {
		return nil, err
	}
	if o.Contract != nil {
		if s.contract, err = newContract(o.Contract); err != nil {
			return nil, err
		}
	}
	if o.Dir == "" {
		if s.opts.Dir, err = os.MkdirTemp("", "standin-github-"); err != nil {
			return nil, err
		}
		s.ownDir = true
	} else if s.opts.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("stand-in GitHub: %w", err)
	}
	s.URL = "http://" + listener.Addr().String()
	s.routes()
	s.queue = newQueue(s, max(o.DeliveryWorkers, 1))
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 10 * time.Second}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		_ = s.http.Serve(listener)
	}()
	return s, nil
}

// Close ends the server and waits for what it started. Webhooks that are not
// delivered yet are lost.
func (s *Server) Close() error {
	s.mu.Lock() // so that compute starts nothing that is not waited for
	s.cancel()
	s.mu.Unlock()
	err := s.http.Close()
	s.queue.close()
	s.work.Wait()
	if s.ownDir {
		_ = os.RemoveAll(s.opts.Dir)
	}
	return err
}

// APIURL is the root of the REST API, as github.Options.BaseURL wants it.
func (s *Server) APIURL() string { return s.URL + "/api/v3" }

// AppID, AppKey, Slug and WebhookSecret are what the App's settings page would
// give to whoever sets Tidelock up. The key is PEM.
func (s *Server) AppID() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.AppID
}
func (s *Server) AppKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return appPEM(s.key)
}
func (s *Server) Slug() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.Slug
}
func (s *Server) WebhookSecret() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.WebhookSecret
}

// SetWebhook changes where webhooks go and what signs them, for a receiver
// that starts after the server.
func (s *Server) SetWebhook(url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.WebhookURL, s.opts.WebhookSecret = url, secret
}

// Faults are the switches that make GitHub misbehave.
func (s *Server) Faults() *Faults { return s.faults }

// Calls returns the API requests answered so far, tokens' included and git's
// not.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Changed returns a channel that closes at the next thing that happens: look,
// then wait on it, then look again. It must be taken before looking.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Wait returns when cond holds; it looks each time that something happens
// here. The error is the context's.
func (s *Server) Wait(ctx context.Context, cond func() bool) error {
	for {
		changed := s.Changed()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// touch tells whoever waits that something happened. s.mu is held.
func (s *Server) touch() {
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// nextID returns a new ID; all kinds of things share them. s.mu is held.
func (s *Server) nextID() int64 {
	s.lastID++
	return s.lastID
}

// serve sends a request to the part of GitHub that it means.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/v3/") || r.URL.Path == "/api/v3":
		s.serveAPI(w, r)
	case r.URL.Path == "/api/graphql":
		s.serveGraphQL(w, r)
	case newAppPath.MatchString(r.URL.Path):
		s.serveNewApp(w, r)
	case isGit(r.URL.Path):
		s.serveGit(w, r)
	default:
		s.servePage(w, r)
	}
}

// appKey makes the App's key once a process: making one takes long.
var appKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func appPEM(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}
