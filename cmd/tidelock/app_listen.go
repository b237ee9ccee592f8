package main

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
)

var appPages = template.Must(template.New("").Parse(`
{{define "top"}}<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1a2230;background:#fff}
h1{font-size:1.5rem}button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:6px;background:#0b6b62;color:#fff;cursor:pointer}
button:focus-visible,a:focus-visible{outline:3px solid #f2b84b;outline-offset:2px}table{border-collapse:collapse;margin:1rem 0}
td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}code{background:#eef1f4;padding:0 .25rem;border-radius:3px}a{color:#0b6b62}
@media(prefers-color-scheme:dark){body{background:#10161f;color:#e6eaf0}code{background:#232d3a}a{color:#6cd3c6}}</style></head><body><main><h1>{{.Title}}</h1>{{end}}
{{define "bottom"}}</main></body></html>
{{end}}
{{define "start"}}{{template "top" .}}
<p>The App <b>{{.Name}}</b> will belong to <b>{{if .Org}}{{.Org}}{{else}}your account{{end}}</b> at {{.Host.Web}} and send its webhooks to <code>{{.PublicURL}}/webhook</code>. You can change its name on the next page; you install it afterwards on the repositories that you choose.</p>
<form method="post" action="{{.Action}}"><input type="hidden" name="manifest" value="{{.Manifest}}"><button autofocus>Continue on GitHub</button></form>
<h2>What it asks for</h2><table><tr><th scope="col">Permission</th><th scope="col">Level</th><th scope="col">Why</th></tr>
{{range .Permissions}}<tr><td><code>{{.Name}}</code></td><td>{{.Level}}</td><td>{{.Why}}</td></tr>{{end}}</table>
{{template "bottom"}}{{end}}
{{define "done"}}{{template "top" .}}<p>Tidelock has its key and its webhook secret; they stand in files on the server.</p>
<p>Next: <a href="{{.InstallURL}}">install it</a> on the repositories that it shall look after. The terminal tells the rest; this window may be closed.</p>{{template "bottom"}}{{end}}
{{define "failed"}}{{template "top" .}}<p role="alert">{{.Why}}</p>{{template "bottom"}}{{end}}
`))

type startView struct {
	Title, Name, Org, PublicURL string
	Host                        github.Host
	Action, Manifest            string
	Permissions                 []github.Need
}

// startPage is the page from which the browser takes the manifest to GitHub.
func (a *appCreate) startPage(host github.Host, manifest []byte, state string) ([]byte, error) {
	var b bytes.Buffer
	err := appPages.ExecuteTemplate(&b, "start", startView{
		Title: "Register Tidelock’s GitHub App", Name: a.name, Org: a.org, PublicURL: a.publicURL, Host: host,
		Action: host.NewAppURL(a.org, state), Manifest: string(manifest), Permissions: github.Permissions(!a.readOnly),
	})
	return b.Bytes(), err
}

// onLoopback is the part of `tidelock app create` that a browser talks to: the
// page, behind an address that nobody guesses, and the place that GitHub sends
// the browser back to.
type onLoopback struct {
	host    string // as the browser has to name it, against other sites' DNS
	key     string // of the page's address
	state   string // comes back from GitHub with the code
	page    []byte
	convert func(ctx context.Context, code string) (*created, error)
	note    func(format string, args ...any)
	turn    chan struct{} // holds one token: conversions go one at a time
	over    bool          // one of them has counted; whoever has the turn looks
	done    chan outcome
}

type outcome struct {
	made *created
	err  error
}

// listen serves the page until GitHub's code came and was turned into the App.
func (a *appCreate) listen(ctx context.Context, told io.Writer, host github.Host, manifest func(string) ([]byte, error),
	convert func(context.Context, string) (*created, error)) (*created, error) {
	if a.timeout <= 0 {
		return nil, errs.New(errs.Invalid, "--timeout must be longer than nothing.")
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(a.port)))
	if err != nil {
		return nil, errs.Wrap(errs.Unavailable, err, "The page can't be served on port %d of this machine.", a.port)
	}
	base := "http://" + l.Addr().String()
	o := &onLoopback{host: l.Addr().String(), key: randomHex(16), state: randomHex(32), convert: convert,
		turn: make(chan struct{}, 1), done: make(chan outcome, 1),
		note: func(format string, args ...any) { fmt.Fprintf(told, format+"\n", args...) }}
	raw, err := manifest(base + "/created")
	if err == nil {
		o.page, err = a.startPage(host, raw, o.state)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	server := &http.Server{Handler: o, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	port := l.Addr().(*net.TCPAddr).Port
	o.note("Open this page in a browser that is signed in to %s:\n\n  %s/start/%s\n\nIs the browser on another machine? There: ssh -L %d:127.0.0.1:%d THIS-MACHINE, then open the same address.\nOr end this and begin again with --page. Waiting for %s …",
		host.Web, base, o.key, port, port, a.timeout)
	timer := time.NewTimer(a.timeout)
	defer timer.Stop()
	var out outcome
	select {
	case out = <-o.done:
	case err := <-served:
		return nil, errs.Wrap(errs.Unavailable, err, "The page can't be served.")
	case <-timer.C:
		out.err = errs.New(errs.Canceled, "Nobody came back from GitHub within %s. Nothing was written; if the App was made all the same, delete it on GitHub and begin again.", a.timeout)
	case <-ctx.Done():
		out.err = errs.New(errs.Canceled, "Stopped before GitHub's answer came. Nothing was written.")
	}
	// The browser is still reading its last page.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		_ = server.Close()
	}
	<-served
	return out.made, out.err
}

// ServeHTTP answers the two addresses that there are.
func (o *onLoopback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	switch {
	case r.Host != o.host || r.Method != http.MethodGet:
		http.Error(w, "Not here.", http.StatusForbidden)
	case same(r.URL.Path, "/start/"+o.key):
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(o.page)
	case r.URL.Path == "/created":
		o.back(w, r)
	default:
		http.NotFound(w, r)
	}
}

// same compares in constant time: either string is a secret.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// back takes the code from a browser that GitHub has sent. Only whoever was
// given our state is believed; others change nothing.
func (o *onLoopback) back(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !same(query.Get("state"), o.state) {
		o.fail(w, http.StatusForbidden, "This did not begin here: the state that came back from GitHub is not the one that was sent. Begin again at the address in the terminal.")
		return
	}
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-r.Context().Done():
		return
	}
	if o.over {
		o.fail(w, http.StatusConflict, "The App is registered already. The terminal tells what to do next.")
		return
	}
	// A browser that goes away must not break off what GitHub tells once.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
	defer cancel()
	made, err := o.convert(ctx, query.Get("code"))
	switch {
	case errs.Is(err, errs.Unavailable):
		o.note("%s Reload the page in the browser to try again.", errs.Sentence(err))
		o.fail(w, http.StatusBadGateway, errs.Sentence(err)+" Reload this page to try again.")
		return
	case errs.Is(err, errs.Invalid):
		o.fail(w, http.StatusBadRequest, errs.Sentence(err))
		return
	case err != nil:
		o.fail(w, http.StatusBadGateway, errs.Sentence(err))
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = appPages.ExecuteTemplate(w, "done", struct{ Title, InstallURL string }{made.Name + " is registered", made.InstallURL})
	}
	o.over = true
	o.done <- outcome{made, err}
}

func (o *onLoopback) fail(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = appPages.ExecuteTemplate(w, "failed", struct{ Title, Why string }{"That did not work", why})
}
