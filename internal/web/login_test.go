package web

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/access/login"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// porch is what stands before a token: discovery, the page and the exchange.
type porch struct {
	tokens *access.Tokens
	shown  string
	log    *bytes.Buffer
	http.Handler
}

func newPorch(t *testing.T, d *db.DB) *porch {
	t.Helper()
	trail := access.NewTrail(d)
	p := &porch{tokens: access.NewTokens(d, trail, nil), log: &bytes.Buffer{}}
	if _, err := d.ExecContext(t.Context(), `INSERT INTO clients (id, slug, name, created_ms) VALUES ('c1', 'c1', 'c1', 0)`); err != nil {
		t.Fatal(err)
	}
	shown, _, err := p.tokens.Create(t.Context(), access.NewToken{Client: "c1", Name: "alice", Projects: []string{"**"}, Scopes: []access.Scope{access.ScopeRead, access.ScopeLock, access.ScopeWrite}, By: access.Actor{Kind: access.Bot}})
	if err != nil {
		t.Fatal(err)
	}
	p.shown = shown.Reveal()
	store, log := login.NewStore(d, trail, p.tokens, nil), slog.New(slog.NewTextHandler(p.log, nil))
	m := http.NewServeMux()
	m.HandleFunc("/.well-known/terraform.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(login.Services())
	})
	m.Handle(login.TokenPath, store.TokenHandler(log))
	m.Handle(LoginPrefix, Login(store, log))
	p.Handler = m
	return p
}

// question is what a command line asks with.
func question(change func(url.Values)) string {
	sum := sha256.Sum256([]byte(strings.Repeat("v", 43)))
	q := url.Values{"client_id": {"terraform-cli"}, "response_type": {"code"}, "redirect_uri": {"http://localhost:10005/login"}, "state": {`<s>"&`},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	if change != nil {
		change(q)
	}
	return login.AuthorizePath + "?" + q.Encode()
}

func (p *porch) ask(method, path string, form url.Values) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, r)
	return rec.Result()
}

func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (p *porch) form(more url.Values) url.Values {
	f := url.Values{"token": {p.shown}, "name": {"laptop"}, "scope": {"read", "lock"}, "days": {"30"}}
	for k, v := range more {
		f[k] = v
	}
	return f
}

func TestLoginPage(t *testing.T) {
	p := newPorch(t, dbtest.SQLite(t))
	resp := p.ask("GET", question(nil), nil)
	text := bodyOf(t, resp)
	policy := resp.Header.Get("Content-Security-Policy")
	if resp.StatusCode != 200 || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Frame-Options") != "DENY" ||
		!strings.Contains(policy, "form-action 'self' http://localhost:10005;") || !strings.Contains(text, "http://localhost:10005") {
		t.Errorf("%d, %v: %s", resp.StatusCode, resp.Header, text)
	}
	page, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var checked []string
	for _, n := range find(page, "input", "") {
		if attr(n, "type") == "checkbox" && strings.Contains(text, `value="`+attr(n, "value")+`" checked`) {
			checked = append(checked, attr(n, "value"))
		}
	}
	if !slices.Equal(checked, []string{"read", "lock", "write"}) {
		t.Errorf("checked: %v", checked)
	}
	if strings.Contains(text, "<header") || strings.Contains(text, "/static/") {
		t.Error("the page refers to what asks for the pages' password")
	}
	if css := p.ask("GET", "/oauth/style.css", nil); css.StatusCode != 200 || !strings.HasPrefix(css.Header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d", css.StatusCode)
	}

	resp = p.ask("POST", question(nil), p.form(nil))
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusSeeOther || to.Host != "localhost:10005" || to.Query().Get("state") != `<s>"&` || to.Query().Get("code") == "" {
		t.Errorf("%d to %v, %v", resp.StatusCode, to, err)
	}

	for name, c := range map[string]struct {
		code int
		form url.Values
		says string
	}{
		"wrong token":   {403, url.Values{"token": {"tlk_wrong"}}, "not one that counts"},
		"more than may": {403, url.Values{"scope": {"force-unlock"}}, "may not force-unlock"},
		"no name":       {400, url.Values{"name": {"<b>\x01"}}, "needs a name"},
		"no end":        {400, url.Values{"days": {"100000"}}, "how long"},
		"no scope":      {400, url.Values{"scope": {}}, "what the token may do"},
		"too much":      {413, url.Values{"name": {strings.Repeat("x", 20<<10)}}, "read"},
	} {
		resp := p.ask("POST", question(nil), p.form(c.form))
		text := bodyOf(t, resp)
		if resp.StatusCode != c.code || !strings.Contains(text, c.says) || resp.Header.Get("Location") != "" || strings.Contains(text, p.shown) || strings.Contains(text, "<b>") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
	if strings.Contains(p.log.String(), p.shown) || !strings.Contains(p.log.String(), "login refused") {
		t.Errorf("log: %s", p.log)
	}
}

// What can't be answered is told on the page, and goes nowhere else.
func TestThreat_LoginPageSendsNobodyElsewhere(t *testing.T) {
	p := newPorch(t, dbtest.SQLite(t))
	for key, value := range map[string]string{"redirect_uri": "https://evil.example/login", "client_id": "<script>", "code_challenge": "", "response_type": "token"} {
		for _, method := range []string{"GET", "POST"} {
			resp := p.ask(method, question(func(q url.Values) { q.Set(key, value) }), p.form(nil))
			text := bodyOf(t, resp)
			if resp.StatusCode != 400 || resp.Header.Get("Location") != "" || strings.Contains(text, "<form") || strings.Contains(text, "<script") || strings.Contains(resp.Header.Get("Content-Security-Policy"), "evil") {
				t.Errorf("%s %s: %d %s", method, key, resp.StatusCode, text)
			}
		}
	}
	for _, c := range []struct {
		code         int
		method, path string
	}{{404, "GET", "/oauth/"}, {404, "GET", "/oauth/other"}, {405, "DELETE", question(nil)}, {405, "GET", login.TokenPath}} {
		if resp := p.ask(c.method, c.path, nil); resp.StatusCode != c.code {
			t.Errorf("%s %s: %d", c.method, c.path, resp.StatusCode)
		}
	}
	for range 30 {
		p.ask("POST", question(nil), p.form(url.Values{"token": {"tlk_guess"}}))
	}
	if resp := p.ask("POST", question(nil), p.form(url.Values{"token": {"tlk_guess"}})); resp.StatusCode != 429 {
		t.Errorf("guessing: %d", resp.StatusCode)
	}
	if resp := p.ask("POST", question(nil), p.form(nil)); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a right token meanwhile: %d", resp.StatusCode)
	}
}

// serveTLS serves as localhost, and returns the host, a file with the
// certificate, and a client that trusts it.
func serveTLS(t *testing.T, h http.Handler) (host, ca string, client *http.Client) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(client.CloseIdleConnections)
	return "localhost:" + server.URL[strings.LastIndexByte(server.URL, ':')+1:], ca, client
}

// The real command lines log in: a person's browser follows where they point.
func TestRealToolsLogIn(t *testing.T) {
	tools := map[string]string{}
	if path, err := exec.LookPath("terraform"); err == nil {
		tools["terraform"] = path
	}
	if b, err := toolchain.FindOpenTofu(t.Context(), toolchain.Options{}); err == nil {
		tools["tofu"] = b.Path
	} else if !errs.Is(err, errs.NotFound) {
		t.Fatal(err)
	}
	if len(tools) == 0 {
		t.Skip("there is neither terraform nor OpenTofu here")
	}
	for name, path := range tools {
		t.Run(name, func(t *testing.T) {
			p := newPorch(t, dbtest.SQLite(t))
			host, ca, browser := serveTLS(t, p)
			home := t.TempDir()
			if err := os.Mkdir(filepath.Join(home, ".terraform.d"), 0o700); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), path, "login", host)
			cmd.Dir = home
			cmd.Env = []string{"HOME=" + home, "PATH=", "CHECKPOINT_DISABLE=1", "SSL_CERT_FILE=" + ca, "SSL_CERT_DIR=" + os.DevNull}
			cmd.Stdin = strings.NewReader("yes\n")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			link := regexp.MustCompile(`https://` + regexp.QuoteMeta(host) + `/oauth/authorization\?\S+`)
			var said strings.Builder
			for lines := bufio.NewScanner(out); lines.Scan(); {
				said.WriteString(lines.Text() + "\n")
				at := link.FindString(lines.Text())
				if at == "" {
					continue
				}
				if resp, err := browser.Get(at); err != nil || resp.StatusCode != 200 {
					t.Errorf("page: %v, %v", resp, err)
				}
				browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				resp, err := browser.PostForm(at, p.form(url.Values{"scope": {"read", "lock", "write"}}))
				if err != nil || !strings.HasPrefix(resp.Header.Get("Location"), "http://localhost:100") {
					t.Fatalf("led to %v, %v", resp, err)
				}
				// The tool may end before it has answered: it has what it wants.
				if resp, err := browser.Get(resp.Header.Get("Location")); err == nil && resp.StatusCode != 200 {
					t.Errorf("the tool answers %s", resp.Status)
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v: %s%s", err, said.String(), stderr.String())
			}
			text, err := os.ReadFile(filepath.Join(home, ".terraform.d", "credentials.tfrc.json"))
			if err != nil {
				t.Fatal(err)
			}
			var kept struct {
				Credentials map[string]struct{ Token string }
			}
			if err := json.Unmarshal(text, &kept); err != nil {
				t.Fatal(err)
			}
			cred, err := p.tokens.Authenticate(t.Context(), kept.Credentials[host].Token)
			if err != nil || cred.Name != "laptop" || cred.Parent == "" || !cred.May(access.ScopeWrite) || cred.Expires.IsZero() {
				t.Errorf("the token that was kept: %+v, %v", cred, err)
			}
		})
	}
}
