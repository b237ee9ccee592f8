package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tidelock/tidelock/internal/run"
)

// browser is a real one, with everything that it complains of.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("there is no Chromium on PATH: the pages were not tried in a real browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1280, 900))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's own does not work for root
	}
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stopAlloc)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(stop)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	err := chromedp.Listen(ctx, func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			b.complaints = append(b.complaints, "console: "+string(e.Type))
		case *log.EventEntryAdded:
			b.complaints = append(b.complaints, "log: "+e.Entry.Text+" "+e.Entry.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func value[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to become true in the page.
func (b *browser) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil {
		b.t.Fatalf("waiting for %s: %v", expression, err)
	}
}

// complained returns and forgets what the browser complained of.
func (b *browser) complained() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.complaints
	b.complaints = nil
	return all
}

// serve runs a site; its clock stands still unless the test turns it.
func serve(t *testing.T, w *world) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.site.ServeHTTP(rw, r) }))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestBrowserShowsPages looks at every page in a real browser, light and dark,
// wide and narrow. With TIDELOCK_SHOTS set to a folder it leaves pictures there.
func TestBrowserShowsPages(t *testing.T) {
	b := startBrowser(t)
	w := local(t)
	change, plan := busyWorld(w)
	asked := askedPaths(w)
	last := len(asked) - 1
	costWorld(w, "live/web")
	stateWorld(w, "net/prod")
	url := serve(t, w)
	pages := map[string]string{
		"asked": asked[0], "waits": asked[1], "options": asked[2], "operation": asked[4], "drift": asked[5], "group": asked[last-1], "grows": asked[last],
		"changes": "/", "change": "/changes/" + change.ID, "run": "/runs/" + plan.ID, "locks": "/locks", "history": "/history", "audit": "/audit", "queue": "/queue",
		"costs": "/costs", "cost": "/costs/acme?from=2026-02&to=2027-01",
		"states": "/states", "state": "/states/acme/net/prod?from=1&to=2", "inventory": "/inventory?provider=aws", "inventory-none": "/inventory?type=aws_instanse",
		"policies": "/policies", "policy": "/policies/security.aws.public_ingress",
		"waivers": "/waivers", "waiver": "/waivers/" + lasting(w, plan, strings.Repeat("a reason that takes its time ", 15)).ID,
	}
	for name, path := range pages {
		for _, width := range []int64{1280, 390} {
			for _, mode := range []string{"light", "dark"} {
				media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode}}}
				if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
					t.Fatal(err)
				}
				b.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(url+path))
				if title := value[string](b, `document.title`); !strings.HasSuffix(title, "Tidelock") {
					t.Errorf("%s is titled %q", path, title)
				}
				if over := value[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
					t.Errorf("%s at %d: %d px wider than the window", path, width, over)
				}
				if dark := value[bool](b, `getComputedStyle(document.body).backgroundColor === "rgb(15, 21, 24)"`); dark != (mode == "dark") {
					t.Errorf("%s in %s mode: dark is %v", path, mode, dark)
				}
				if weak := value[[]string](b, weakContrast); len(weak) > 0 {
					t.Errorf("%s in %s mode: hard to read: %v", path, mode, weak)
				}
				if dir := os.Getenv("TIDELOCK_SHOTS"); dir != "" {
					shoot(t, b, filepath.Join(dir, name+"-"+mode+map[bool]string{true: "-narrow"}[width < 500]+".png"))
				}
			}
		}
		if all := b.complained(); len(all) > 0 {
			t.Errorf("%s: the browser complains: %v", path, all)
		}
	}
}

func shoot(t *testing.T, b *browser, path string) {
	t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// weakContrast lists texts whose contrast with what is behind them is below
// 4.5 to 1.
const weakContrast = `(() => {
  const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const lum = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const weak = new Set();
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
    const [a, z] = [lum(parse(getComputedStyle(e).color)), lum(behind(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (z + .05);
    if (ratio < 4.5) weak.add(e.tagName + "." + e.className + " " + ratio.toFixed(2));
  }
  return [...weak];
})()`

func TestThreat_PayloadsAreInertInARealBrowser(t *testing.T) {
	b := startBrowser(t)
	w := local(t)
	paths := hostileWorld(w)
	url := serve(t, w)
	for _, path := range paths {
		b.do(chromedp.Navigate(url + path))
		if value[bool](b, `"hacked" in window`) {
			t.Errorf("%s: a payload ran", path)
		}
		if n := value[int](b, `document.querySelectorAll("main script, main svg, main iframe, main img, [onload], [onerror]").length`); n > 0 {
			t.Errorf("%s: %d elements of a payload's", path, n)
		}
		for _, c := range b.complained() {
			if !strings.Contains(c, "404") { // that of a page which is not there
				t.Errorf("%s: the browser complains: %s", path, c)
			}
		}
	}
	// The policy holds even where an escape were forgotten.
	b.do(chromedp.Navigate(url + "/"))
	value[bool](b, `(() => { const s = document.createElement("script"); s.textContent = "window.hacked = 1"; document.body.append(s);
		const d = document.createElement("div"); d.innerHTML = '<img src=x onerror="window.hacked=1">'; document.body.append(d); return true; })()`)
	if value[bool](b, `"hacked" in window`) {
		t.Error("the content security policy lets an inline script run")
	}
	if len(b.complained()) == 0 {
		t.Error("the browser did not complain of an inline script: the test can't tell")
	}
}

func TestBrowserFollowsALogThatGrows(t *testing.T) {
	b := startBrowser(t)
	w := local(t)
	folder := w.follow("node-1")
	c := w.open(w.repo, 1, "Live", "h1")
	apply := w.applying(w.planned(w.plans(c, "net")[0], func(r *run.Run) { r.Summary.Create, r.PlanJSONBlob = 1, w.put("plan.json", secretPlan) }))
	text := strings.Repeat("aws_x.a: Still creating...\n", 200)
	w.say(folder, apply, text+"first end\n")
	b.do(chromedp.Navigate(serve(t, w) + "/runs/" + apply.ID))
	const atEnd = `(() => { const p = document.querySelector("pre.log"); return p.scrollTop > 0 && p.scrollTop + p.clientHeight >= p.scrollHeight - 4; })()`
	b.until(atEnd)
	w.say(folder, apply, text+"first end\n"+text+"second end\n")
	b.until(`document.querySelector("pre.log").textContent.includes("second end")`)
	if !value[bool](b, atEnd) {
		t.Error("the log is not followed")
	}
	value[bool](b, `(() => { document.querySelector("pre.log").scrollTop = 10; return true; })()`)
	w.say(folder, apply, text+text+text+"third end\n")
	b.until(`document.querySelector("pre.log").textContent.includes("third end")`)
	if top := value[int](b, `document.querySelector("pre.log").scrollTop`); top != 10 {
		t.Errorf("a reader who had gone back was moved to %d", top)
	}
	if all := b.complained(); len(all) > 0 {
		t.Errorf("the browser complains: %v", all)
	}
}

func TestBrowserRenewsWhatIsUnderWay(t *testing.T) {
	b := startBrowser(t)
	w := local(t)
	c := w.open(w.repo, 1, "Live", "h1")
	runs := w.plans(c, "net", "app")
	first := w.planned(runs[0], func(r *run.Run) { r.Summary.Create, r.Diff = 1, sampleDiff })
	url := serve(t, w)
	b.do(chromedp.Navigate(url + "/changes/" + c.ID))
	b.until(`document.querySelectorAll(".project").length === 2`)
	value[bool](b, `(() => { window.stayed = true; document.querySelector("details").open = true; return true; })()`)
	w.planned(runs[1], func(r *run.Run) { r.Summary.Create = 3 })
	b.until(`document.querySelector(".meta .badge").textContent === "Planned"`)
	if !value[bool](b, `window.stayed === true`) {
		t.Error("the page was loaded anew rather than renewed")
	}
	if !value[bool](b, `document.querySelector("details").open`) {
		t.Errorf("the plan of %s was folded again", first.Project.Name)
	}
	if all := b.complained(); len(all) > 0 {
		t.Errorf("the browser complains: %v", all)
	}
}
