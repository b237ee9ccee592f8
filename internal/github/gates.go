package github

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// maxListPages bounds what is read of one list: whoever puts more than 4,000
// lines on a commit shall not keep us busy for ever.
const maxListPages = 40

// Checks is what others say of a commit, by the names that its page shows.
// Each list is sorted and names nothing twice.
type Checks struct {
	// Failed are those that ended in anything but success: cancelled, timed out
	// and waiting for a person count as that.
	Failed []string
	// Pending have not ended.
	Pending []string
	// Passed succeeded, or said that they have no opinion or were skipped.
	Passed []string
}

// Green reports whether nothing failed and nothing is pending. A commit on
// which nobody has said anything is green: which checks must be there
// BranchRules tells.
func (c Checks) Green() bool { return len(c.Failed) == 0 && len(c.Pending) == 0 }

type checkRunJSON struct {
	ID         int64   `json:"id"`
	Name       string  `json:"name"`
	Status     string  `json:"status"`
	Conclusion *string `json:"conclusion"`
	App        *struct {
		ID int64 `json:"id"`
	} `json:"app"`
}

// CheckState returns what all check runs and commit statuses of a commit amount
// to, this App's own check runs left out. Of several runs of one name by one
// App the newest counts, of several statuses of one context the newest. One
// request per 100 of either kind, two at least. It reads commit statuses with
// a token of its own: the App needs the permission for them.
func (c *Client) CheckState(ctx context.Context, repoID int64, sha string) (Checks, error) {
	op := fmt.Sprintf("checks of %s in repository %d", sha, repoID)
	type key struct {
		app  int64
		name string
	}
	newest := map[key]checkRunJSON{}
	base := "/commits/" + url.PathEscape(sha)
	for page := 1; page != 0; {
		var out struct {
			Runs []checkRunJSON `json:"check_runs"`
		}
		resp, err := c.repo(ctx, repoID, "GET", base+"/check-runs"+paging(page)+"&filter=latest", nil, &out)
		if err != nil {
			return Checks{}, classify(op, err)
		}
		for _, r := range out.Runs {
			k := key{name: r.Name}
			if r.App != nil {
				k.app = r.App.ID
			}
			if k.app == c.app.opts.ID {
				continue
			}
			if have, ok := newest[k]; !ok || r.ID > have.ID {
				newest[k] = r
			}
		}
		if page = resp.NextPage; page > maxListPages {
			return Checks{}, tooMany(op, "check runs")
		}
	}
	var s Checks
	for _, r := range newest {
		s.add(r.Name, runOutcome(r))
	}
	seen := map[string]bool{}
	for page := 1; page != 0; {
		var out struct {
			Statuses []struct {
				Context string `json:"context"`
				State   string `json:"state"`
			} `json:"statuses"`
		}
		resp, err := c.do(ctx, tokenKey{repoID, forStatuses}, call{
			method: "GET", path: "repositories/" + itoa(repoID) + base + "/status" + paging(page), out: &out,
		})
		if err != nil {
			return Checks{}, classify(op, err)
		}
		for _, st := range out.Statuses { // newest first, one for each context
			if !seen[st.Context] {
				seen[st.Context] = true
				s.add(st.Context, st.State)
			}
		}
		if page = resp.NextPage; page > maxListPages {
			return Checks{}, tooMany(op, "statuses")
		}
	}
	s.Failed, s.Pending, s.Passed = tidyNames(s.Failed), tidyNames(s.Pending), tidyNames(s.Passed)
	return s, nil
}

// runOutcome is a check run's outcome in the words of commit statuses.
func runOutcome(r checkRunJSON) string {
	if r.Status != "completed" {
		return "pending"
	}
	if r.Conclusion != nil {
		switch *r.Conclusion {
		case "success", "neutral", "skipped":
			return "success"
		}
	}
	return "failure" // what we do not know is no success either
}

func (c *Checks) add(name, state string) {
	switch state {
	case "success":
		c.Passed = append(c.Passed, name)
	case "pending":
		c.Pending = append(c.Pending, name)
	default:
		c.Failed = append(c.Failed, name)
	}
}

func tidyNames(names []string) []string {
	sort.Strings(names)
	return slices.Compact(names)
}

func tooMany(op, what string) error {
	return errs.Wrap(errs.TooLarge, fmt.Errorf("github: %s", op), "The commit has more than %d %s, which is more than Tidelock reads.", maxListPages*100, what)
}

// Compare is how a commit stands to a branch.
type Compare struct {
	Ahead, Behind int    // commits that the other side does not have
	MergeBase     string // the commit where they parted
}

// Compare returns how head (a commit or branch) stands to base: Behind is 0
// when head has all that base has. A base given by its branch's name is the
// branch's tip now, which a pull's BaseSHA need not be. errs.NotFound where
// either is not there or they share no history. One request.
func (c *Client) Compare(ctx context.Context, repoID int64, base, head string) (Compare, error) {
	var out struct {
		Ahead     int `json:"ahead_by"`
		Behind    int `json:"behind_by"`
		MergeBase struct {
			SHA string `json:"sha"`
		} `json:"merge_base_commit"`
	}
	// One commit a page: only the counts are wanted.
	path := "/compare/" + url.PathEscape(base) + "..." + url.PathEscape(head) + "?per_page=1&page=1"
	if _, err := c.repo(ctx, repoID, "GET", path, nil, &out); err != nil {
		return Compare{}, classify(fmt.Sprintf("compare %s with %s in repository %d", head, base, repoID), err)
	}
	return Compare{Ahead: out.Ahead, Behind: out.Behind, MergeBase: out.MergeBase.SHA}, nil
}

// BranchRules is what must hold before GitHub lets a pull be merged into a
// branch, of rulesets and classic protection together: the stricter wins.
type BranchRules struct {
	RequiredChecks    []string // sorted, each once
	RequiredApprovals int
	CodeOwnerReview   bool // of each file's owners
	StaleDismissed    bool // a push takes approvals back
	LastPushApproval  bool // by someone else than the last to push
	MergeQueue        bool // nothing gets in but through the queue
	RequireUpToDate   bool // the head must have all that the branch has
	// Sources name where the rules come from, for people: "ruleset 7 of
	// acme/infra", "branch protection".
	Sources []string
	// Partial says that the branch has a classic protection of which the App may
	// see the required checks only: the permission to read administration is
	// missing. Other rules may hold beyond those above.
	Partial bool
}

// BranchRules reads the rules of a branch: two requests per 100 rulesets' rules
// and protection, and a third where the App may not read the protection. A
// branch without any is no error. A branch that is not there has the rules that
// it would have.
func (c *Client) BranchRules(ctx context.Context, repoID int64, branch string) (BranchRules, error) {
	var out BranchRules
	op := fmt.Sprintf("rules of branch %q of repository %d", branch, repoID)
	known, err := c.rulesets(ctx, repoID, branch, &out)
	if err != nil {
		return BranchRules{}, classify(op, err)
	}
	if err := c.protection(ctx, repoID, branch, known, &out); err != nil {
		return BranchRules{}, classify(op, err)
	}
	out.RequiredChecks = tidyNames(out.RequiredChecks)
	return out, nil
}

// rulesets adds the rules of rulesets. known is false where GitHub has no such
// route: older Enterprise Servers.
func (c *Client) rulesets(ctx context.Context, repoID int64, branch string, b *BranchRules) (known bool, err error) {
	for page := 1; page != 0 && page <= maxListPages; {
		var out []struct {
			Type       string `json:"type"`
			Ruleset    int64  `json:"ruleset_id"`
			Source     string `json:"ruleset_source"`
			Parameters struct {
				Approvals int  `json:"required_approving_review_count"`
				Owners    bool `json:"require_code_owner_review"`
				Stale     bool `json:"dismiss_stale_reviews_on_push"`
				LastPush  bool `json:"require_last_push_approval"`
				Strict    bool `json:"strict_required_status_checks_policy"`
				Checks    []struct {
					Context string `json:"context"`
				} `json:"required_status_checks"`
			} `json:"parameters"`
		}
		resp, err := c.repo(ctx, repoID, "GET", "/rules/branches/"+url.PathEscape(branch)+paging(page), nil, &out)
		if status, _ := answered(err); status == 404 && !Gone(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, r := range out {
			p := r.Parameters
			switch r.Type {
			case "pull_request":
				b.RequiredApprovals = max(b.RequiredApprovals, p.Approvals)
				b.CodeOwnerReview = b.CodeOwnerReview || p.Owners
				b.StaleDismissed = b.StaleDismissed || p.Stale
				b.LastPushApproval = b.LastPushApproval || p.LastPush
			case "required_status_checks":
				b.RequireUpToDate = b.RequireUpToDate || p.Strict
				for _, check := range p.Checks {
					b.RequiredChecks = append(b.RequiredChecks, check.Context)
				}
			case "merge_queue":
				b.MergeQueue = true
			default:
				continue // nothing that a gate asks about
			}
			if source := fmt.Sprintf("ruleset %d of %s", r.Ruleset, r.Source); !slices.Contains(b.Sources, source) {
				b.Sources = append(b.Sources, source)
			}
		}
		page = resp.NextPage
	}
	return true, nil
}

const classicSource = "branch protection"

// protection adds the rules of a classic protection. To read all of it takes a
// permission that many will not give (administration, to read); without it
// GitHub still tells whether there is one and which checks it requires.
func (c *Client) protection(ctx context.Context, repoID int64, branch string, known bool, b *BranchRules) error {
	var out struct {
		Checks *struct {
			Strict   bool     `json:"strict"`
			Contexts []string `json:"contexts"`
		} `json:"required_status_checks"`
		Reviews *struct {
			Approvals int  `json:"required_approving_review_count"`
			Owners    bool `json:"require_code_owner_reviews"`
			Stale     bool `json:"dismiss_stale_reviews"`
			LastPush  bool `json:"require_last_push_approval"`
		} `json:"required_pull_request_reviews"`
	}
	key := tokenKey{repoID, forProtection}
	path := "repositories/" + itoa(repoID) + "/branches/" + url.PathEscape(branch)
	if c.denied(key) {
		return c.protectionSeen(ctx, repoID, branch, b)
	}
	_, err := c.do(ctx, key, call{method: "GET", path: path + "/protection", out: &out})
	status, _ := answered(err)
	switch {
	case err == nil:
	case Gone(err):
		return err
	case status == 404 && known:
		return nil // “Branch not protected”
	case status == 404: // nothing has answered yet that the repository is there at all
		return c.protectionSeen(ctx, repoID, branch, b)
	case errs.KindOf(err) == errs.Forbidden, status == 403: // no such token, or it may not
		c.deny(key)
		return c.protectionSeen(ctx, repoID, branch, b)
	default:
		return err
	}
	b.Sources = append(b.Sources, classicSource)
	if k := out.Checks; k != nil {
		b.RequireUpToDate = b.RequireUpToDate || k.Strict
		b.RequiredChecks = append(b.RequiredChecks, k.Contexts...)
	}
	if v := out.Reviews; v != nil {
		b.RequiredApprovals = max(b.RequiredApprovals, v.Approvals)
		b.CodeOwnerReview = b.CodeOwnerReview || v.Owners
		b.StaleDismissed = b.StaleDismissed || v.Stale
		b.LastPushApproval = b.LastPushApproval || v.LastPush
	}
	return nil
}

// protectionSeen adds what the branch itself says of its protection.
func (c *Client) protectionSeen(ctx context.Context, repoID int64, branch string, b *BranchRules) error {
	var out struct {
		Protection struct {
			Enabled bool `json:"enabled"`
			Checks  struct {
				Contexts []string `json:"contexts"`
			} `json:"required_status_checks"`
		} `json:"protection"`
	}
	if _, err := c.repo(ctx, repoID, "GET", "/branches/"+url.PathEscape(branch), nil, &out); err != nil {
		return err
	}
	if out.Protection.Enabled {
		b.Partial = true
		b.Sources = append(b.Sources, classicSource)
		b.RequiredChecks = append(b.RequiredChecks, out.Protection.Checks.Contexts...)
	}
	return nil
}

// deniedFor is how long a permission that was refused is not asked for again.
const deniedFor = time.Hour

// denied reports whether GitHub has lately refused a token of that kind.
func (c *Client) denied(key tokenKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.refused[key]
	return ok && c.app.opts.Clock.Now().Before(until)
}

func (c *Client) deny(key tokenKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[tokenKey]time.Time{}
	}
	c.refused[key] = c.app.opts.Clock.Now().Add(deniedFor)
}

// WithWrite returns those of the reviews whose authors may write to the
// repository now: GitHub counts no others, while anyone who can read may
// review. One request per author. A deleted account may do nothing.
func (c *Client) WithWrite(ctx context.Context, repoID int64, reviews []Review) ([]Review, error) {
	var out []Review
	roles := map[string]Role{}
	for _, r := range reviews {
		login := strings.ToLower(r.User)
		if login == "" {
			continue
		}
		role, ok := roles[login]
		if !ok {
			var err error
			if role, err = c.Permission(ctx, repoID, r.User); err != nil && !errs.Is(err, errs.NotFound) {
				return nil, err
			}
			roles[login] = role
		}
		if role >= RoleWrite {
			out = append(out, r)
		}
	}
	return out, nil
}
