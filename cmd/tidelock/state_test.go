package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
)

// The state service of a whole server: a token from the command line beside
// the running server opens it, nothing else does, and what was answered with
// 200 is there after the server was killed in the middle of its work.
func TestStateServiceSurvivesAKill(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	d, err := db.Open(t.Context(), s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := clients.NewStore(d).Ensure(t.Context(), tx, clients.Installation{ID: 77, Account: "beta", AccountID: 77})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var out, told bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &told, environ: s.env}
	if code := p.run(t.Context(), []string{"token", "create", "test", "--client", "beta", "--scope", "read,write,lock"}); code != exitOK {
		t.Fatalf("token create: %d: %s", code, &told)
	}
	token := strings.TrimSpace(out.String())
	ask := func(token, method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.listen+"/state/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("x", token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	want := func(code int, token, method, path, body string) string {
		t.Helper()
		got, said := ask(token, method, path, body)
		if got != code {
			t.Errorf("%s %s: %d, not %d: %s", method, path, got, code, said)
		}
		return said
	}
	const lock = `{"ID":"L1","Operation":"OperationTypeApply","Who":"carol@laptop"}`
	want(401, "", "GET", "beta/net/prod", "")
	want(401, "tlk_wrong", "GET", "beta/net/prod", "")
	want(400, token, "GET", "beta/../beta/net", "") // and not sent elsewhere
	want(200, token, "LOCK", "beta/net/prod", lock)
	last := ""
	for serial := 1; serial <= 20; serial++ {
		last = fmt.Sprintf(`{"version":4,"serial":%d,"lineage":"l","resources":[],"value":"canary-%d"}`, serial, serial)
		want(200, token, "POST", "beta/net/prod?ID=L1", last)
	}
	s.kill()
	s.start()
	if got := want(200, token, "GET", "beta/net/prod", ""); got != last {
		t.Errorf("after the kill there is %s", got)
	}
	want(423, token, "LOCK", "beta/net/prod", `{"ID":"L2"}`)
	want(200, token, "UNLOCK", "beta/net/prod", lock)
	if files := holding(t, s.data, nil, spellings("canary-20")...); len(files) > 0 {
		t.Errorf("the state can be read in %v", files)
	}
	s.stop()
	if strings.Contains(s.log.String(), token) {
		t.Error("the token stands in the log")
	}
}
