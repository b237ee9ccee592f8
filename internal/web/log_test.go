package web

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runlog"
)

// keep stores a log as the bot does.
func (w *world) keep(log io.Reader, maskers ...*redact.Masker) string {
	w.t.Helper()
	ref, _, err := runlog.Store(w.t.Context(), w.opts.Blobs, w.repo.ClientID, log, maskers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return ref
}

// A long log is shown from its end, and given as text in whole, byte for byte.
func TestLongLog(t *testing.T) {
	w := local(t)
	c := w.open(w.repo, 50, "t", "50")
	var text strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&text, "aws_x.a[%d]: Refreshing state... ä\u20ac\U0001f680 %s\n", i, strings.Repeat("x", i%7))
	}
	want := text.String()
	plan := w.planned(w.plans(c, "net")[0], func(r *run.Run) {
		r.Summary.Create, r.LogBlob = 1, w.keep(strings.NewReader(want))
	})
	for _, path := range []string{"/runs/" + plan.ID + "/log", "/runs/" + plan.ID + "/log?download", "/api/v1/runs/" + plan.ID + "/log?download"} {
		if got := w.text(path); got != want {
			t.Errorf("%s gives %d bytes, not %d", path, len(got), len(want))
		}
		res := w.ask("GET", path)
		if name := res.Header.Get("Content-Disposition"); (name == `attachment; filename="tidelock-plan-`+plan.ID+`.log"`) != strings.Contains(path, "?") {
			t.Errorf("%s is %q", path, name)
		}
	}
	var answer logAnswer
	w.json("/api/v1/runs/"+plan.ID+"/log", &answer)
	if !answer.Complete || !answer.Cut || len(answer.Log) > maxJSONLog || !strings.HasSuffix(want, answer.Log) || len(answer.Log) < maxJSONLog/2 {
		t.Errorf("as JSON it is complete %v, cut %v, %d bytes", answer.Complete, answer.Cut, len(answer.Log))
	}
	doc := w.page("/runs/" + plan.ID)
	shown := content(find(doc, "pre", "log")[0])
	if len(shown) > maxShownLog || !strings.Contains(shown, "aws_x.a[199999]") || strings.Contains(shown, "aws_x.a[1]:") {
		t.Errorf("the page shows %d bytes of it", len(shown))
	}
	has(t, "a long log", doc, "Its end.", "Download")
}

// Whatever a log holds and wherever it is cut on its way, it is shown as the
// whole would be.
func TestThreat_LongLogIsPlainText(t *testing.T) {
	for name, c := range map[string]string{
		"terminal codes":        strings.Repeat("a\x1b[1mb\x1b[0m\x1b]0;title\x07c\r\n", 30_000),
		"hidden characters":     strings.Repeat("a\u202eb\u200b\x00c\n", 30_000),
		"no end of a line":      strings.Repeat("€", 100_000),
		"what is no UTF-8":      strings.Repeat("\xff\xc3", 100_000) + "\n",
		"an end without a line": strings.Repeat("line\n", 20_000) + "the end",
		"nothing":               "",
	} {
		t.Run(name, func(t *testing.T) {
			w := local(t)
			ch := w.open(w.repo, 51, "t", "51")
			plan := w.planned(w.plans(ch, "net")[0], func(r *run.Run) { r.Summary.Create, r.LogBlob = 1, w.keep(strings.NewReader(c)) })
			if got, want := w.text("/runs/"+plan.ID+"/log"), shownText([]byte(c)); got != want {
				t.Errorf("%d bytes, not %d: %.80q, not %.80q", len(got), len(want), got, want)
			}
		})
	}
}

// A log that turns out to be damaged when half of it is sent does not end as
// if that were all.
func TestThreat_LogDamagedInTheMiddleIsCutOff(t *testing.T) {
	w := local(t)
	dir := t.TempDir()
	blobs, err := blob.Open(dir, redact.NewSecret(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	if err != nil {
		t.Fatal(err)
	}
	defer blobs.Close()
	w.opts.Blobs, w.site.Blobs = blobs, blobs
	c := w.open(w.repo, 52, "t", "52")
	var text bytes.Buffer
	for i := range 100_000 { // what does not compress to nothing
		fmt.Fprintf(&text, "%016x\n", uint64(i)*0x9e3779b97f4a7c15)
	}
	var ref string
	plan := w.planned(w.plans(c, "net")[0], func(r *run.Run) {
		ref = w.keep(bytes.NewReader(text.Bytes()))
		r.Summary.Create, r.LogBlob = 1, ref
	})
	file := filepath.Join(dir, plan.Client, ref)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)*2/3] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(w.site)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/runs/"+plan.ID+"/log", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err == nil {
		t.Errorf("%d of %d bytes, and no sign that there should be more", len(got), text.Len())
	}
	srv.Close() // which waits for what is logged
	if !strings.Contains(w.log.String(), "log can't be read") {
		t.Error("nothing is logged")
	}
}
