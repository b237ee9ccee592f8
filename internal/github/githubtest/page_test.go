package githubtest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// What others write into a comment stays inert on the page.
func TestThreat_MarkdownStaysInert(t *testing.T) {
	for _, source := range []string{
		"<script>alert(1)</script>",
		"<img src=x onerror=alert(1)>",
		"[x](javascript:alert(1))",
		`<a href="JaVaScRiPt:alert(1)">x</a>`,
		"<a href=\" \x01javascript:alert(1)\">x</a>",
		`<details ontoggle=alert(1) open><summary>x</summary></details>`,
		`<svg><script>alert(1)</script></svg>`,
		`<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>`,
		`<iframe src="javascript:alert(1)"></iframe>`,
		`<form action="javascript:alert(1)"><button>x</button></form>`,
		`<div style="background:url(javascript:alert(1))">x</div>`,
		`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
		`<input type=text onfocus=alert(1) autofocus>`,
		"```diff\n+ <script>alert(1)</script>\n```",
		`<b><b onclick=alert(1)><script>x</script></b></b>`,
		`<unknown><script>alert(1)</script></unknown>`,
	} {
		out := string(markdown(source))
		doc, err := html.Parse(strings.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		var walk func(*html.Node)
		walk = func(n *html.Node) {
			if n.Type == html.ElementNode {
				switch n.Data {
				case "script", "iframe", "svg", "math", "style", "form", "noscript", "object", "embed":
					t.Errorf("%q gives <%s>: %s", source, n.Data, out)
				}
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.Contains(strings.ToLower(a.Val), "javascript:") {
						t.Errorf("%q gives %s=%q", source, a.Key, a.Val)
					}
				}
			}
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c)
			}
		}
		walk(doc)
	}
}

func TestMarkdownLooksLikeGitHubs(t *testing.T) {
	for source, want := range map[string]string{
		"| a | b |\n|---|--:|\n| 1 | 2 |":                         `<td align="right">2</td>`,
		"<details><summary>More</summary>\n\n**x**\n\n</details>": "<details><summary>More</summary>",
		"```diff\n+ new\n- old\n! both\n  same\n```":              `<span class="add">+ new` + "\n" + `</span><span class="del">- old`,
		"> [!WARNING]\n> Take care.":                              `<div class="alert warning"><p class="alert-title">Warning</p>`,
		"- [x] done":                                              `<input checked="" disabled="" type="checkbox"/> done`,
		"text <!-- hidden marker --> more":                        "<p>text  more</p>",
		"~~gone~~ https://example.com":                            `<del>gone</del> <a rel="nofollow" href="https://example.com">`,
	} {
		if got := string(markdown(source)); !strings.Contains(got, want) {
			t.Errorf("%q gives\n%s\nwithout\n%s", source, got, want)
		}
	}
}

func TestPages(t *testing.T) {
	s, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := s.CreateRepo("acme", "infra", RepoOptions{Files: Files{"main.tf": "one\n"}})
	r.Commit("ada", "f", "x", Files{"main.tf": "two\n"})
	p := r.Open("ada", PullRequest{Title: "Title <b>", Head: "f", Body: "Why"})
	p.Comment("ada", "A **bold** word <!-- marker -->")
	p.Review("bob", "APPROVED", "")
	s.mu.Lock()
	check := &checkRun{id: s.nextID(), name: "tidelock/plan", sha: p.p.headSHA, status: "completed", conclusion: "failure", title: "Policy says no", summary: "## Why"}
	r.r.checks = append(r.r.checks, check)
	r.r.checkByID[check.id] = check
	s.mu.Unlock()
	get := func(path string) (int, string) {
		resp, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	for path, want := range map[string][]string{
		"/":                                  {"acme/infra", "Title &lt;b&gt;", `class="pill open"`, `class="icon failure"`},
		"/acme/infra":                        {"Title &lt;b&gt;"},
		"/acme/infra/pull/1":                 {"Title &lt;b&gt;", "<strong>bold</strong>", "approved these changes", "tidelock/plan", "Policy says no", "Some checks were not successful", `>f</code>`},
		"/acme/infra/pull/1/files":           {"main.tf", `<span class="del">-one`, `<span class="add">&#43;two`},
		"/acme/infra/runs/" + itoa(check.id): {"Policy says no", "<h2>Why</h2>"},
	} {
		status, body := get(path)
		if status != 200 || strings.Contains(body, "marker") || strings.Contains(body, "<b> ") {
			t.Errorf("%s: %d", path, status)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %q", path, w)
			}
		}
		if strings.Contains(body, "https://") || strings.Contains(body, "src=\"http") {
			t.Errorf("%s reaches outside", path)
		}
	}
	if _, err := p.Merge("bob", "squash"); err != nil {
		t.Fatal(err)
	}
	if _, body := get("/acme/infra/pull/1"); !strings.Contains(body, `class="pill merged"`) || !strings.Contains(body, "Pull request successfully merged") {
		t.Error("the page does not show the merge")
	}
	for _, path := range []string{"/acme/infra/pull/2", "/acme/nothing", "/acme", "/acme/infra/runs/1"} {
		if status, _ := get(path); status != 404 {
			t.Errorf("%s: %d, want 404", path, status)
		}
	}
}

func itoa(n int64) string {
	out := ""
	for ; n > 0; n /= 10 {
		out = string(rune('0'+n%10)) + out
	}
	return out
}
