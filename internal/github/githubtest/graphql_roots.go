package githubtest

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// graphRoots answer the fields of Query and Mutation. s.mu is held; one that
// works on git lets it go meanwhile.
var graphRoots = map[string]func(*graphRequest, map[string]any) (any, *graphError){
	"id":                 func(*graphRequest, map[string]any) (any, *graphError) { return "Q_", nil },
	"node":               graphNode,
	"rateLimit":          graphRateLimit,
	"minimizeComment":    graphMinimize,
	"revertPullRequest":  graphRevert,
	"enqueuePullRequest": graphEnqueue,
}

func unresolved(id any) *graphError {
	return &graphError{Type: "NOT_FOUND", Message: fmt.Sprintf("Could not resolve to a node with the global id of '%v'.", id)}
}

// forbidden and unprocessable are GitHub's words for what may not be and what
// cannot be.
func forbidden() *graphError {
	return &graphError{Type: "FORBIDDEN", Message: "Resource not accessible by integration", Extensions: map[string]any{"saml_failure": false}}
}

func unprocessable(message string) *graphError {
	return &graphError{Type: "UNPROCESSABLE", Message: message}
}

// may reports whether the asker has all of these permissions to write.
func (q *graphRequest) may(r *repo, permissions ...string) bool {
	for _, p := range permissions {
		if !q.who.can(r, p, "write") {
			return false
		}
	}
	return true
}

// commentOf and pullOf find a node among what the asker may see, nil for none.
func (q *graphRequest) commentOf(id any) *comment {
	n := graphID("IC", id)
	for _, r := range q.s.repos {
		if c := r.comments[n]; c != nil && q.who.can(r, "metadata", "read") {
			return c
		}
	}
	return nil
}

func (q *graphRequest) pullOf(id any) *pull {
	n := graphID("PR", id)
	for _, r := range q.s.repos {
		for _, p := range r.pulls {
			if p.id == n && q.who.can(r, "metadata", "read") {
				return p
			}
		}
	}
	return nil
}

func graphNode(q *graphRequest, args map[string]any) (any, *graphError) {
	if c := q.commentOf(args["id"]); c != nil {
		return q.commentObject(c), nil
	}
	if p := q.pullOf(args["id"]); p != nil {
		return q.pullObject(p), nil
	}
	return nil, unresolved(args["id"])
}

func graphRateLimit(q *graphRequest, _ map[string]any) (any, *graphError) {
	in := q.who.token.install
	used, reset := 0, q.s.opts.Now().Add(time.Hour)
	if in != nil {
		used, reset = in.graphUsed, in.graphWindow.Add(time.Hour)
	}
	values := fields{"cost": 1, "limit": q.s.opts.HourLimit, "nodeCount": 0, "remaining": q.s.opts.HourLimit - used, "resetAt": stamp(reset), "used": used}
	return &graphObject{"RateLimit", func(f string) any { return values[f] }}, nil
}

func input(args map[string]any) map[string]any {
	in, _ := args["input"].(map[string]any)
	return in
}

// payload is what a mutation returns.
func payload(typ string, in, values map[string]any) *graphObject {
	return &graphObject{typ, func(f string) any {
		if f == "clientMutationId" {
			return in["clientMutationId"]
		}
		return values[f]
	}}
}

// reasons are the classifiers as minimizedReason tells them.
var reasons = map[string]string{"ABUSE": "abuse", "DUPLICATE": "duplicate", "OFF_TOPIC": "off-topic", "OUTDATED": "outdated", "RESOLVED": "resolved", "SPAM": "spam"}

func graphMinimize(q *graphRequest, args map[string]any) (any, *graphError) {
	in := input(args)
	c := q.commentOf(in["subjectId"])
	if c == nil {
		return nil, unresolved(in["subjectId"])
	}
	if r := c.pull.repo; !q.may(r, "issues") && !q.may(r, "pull_requests") {
		return nil, forbidden()
	}
	c.minimized = reasons[in["classifier"].(string)]
	q.s.touch() // GitHub sends no webhook for it
	return payload("MinimizeCommentPayload", in, fields{"minimizedComment": q.commentObject(c)}), nil
}

func graphRevert(q *graphRequest, args map[string]any) (any, *graphError) {
	in := input(args)
	p := q.pullOf(in["pullRequestId"])
	if p == nil {
		return nil, unresolved(in["pullRequestId"])
	}
	if !q.may(p.repo, "contents", "pull_requests") {
		return nil, forbidden()
	}
	title, _ := in["title"].(string)
	body, _ := in["body"].(string)
	draft, _ := in["draft"].(bool)
	reverting, err := q.s.revert(p, q.who.user, title, body, draft)
	if err != nil {
		return nil, unprocessable(err.Error())
	}
	return payload("RevertPullRequestPayload", in, fields{"pullRequest": q.pullObject(p), "revertPullRequest": q.pullObject(reverting)}), nil
}

func graphEnqueue(q *graphRequest, args map[string]any) (any, *graphError) {
	in := input(args)
	p := q.pullOf(in["pullRequestId"])
	if p == nil {
		return nil, unresolved(in["pullRequestId"])
	}
	if !q.may(p.repo, "contents", "pull_requests") {
		return nil, forbidden()
	}
	want, _ := in["expectedHeadOid"].(string)
	jump, _ := in["jump"].(bool)
	entry, err := q.s.enqueue(p, q.who.user, want, jump)
	var no refusal
	switch {
	case errors.As(err, &no):
		return nil, unprocessable(no.message)
	case err != nil:
		return nil, &graphError{Message: "Something went wrong while executing your query."}
	}
	return payload("EnqueuePullRequestPayload", in, fields{"mergeQueueEntry": q.entryObject(p, entry)}), nil
}

func (q *graphRequest) commentObject(c *comment) *graphObject {
	return &graphObject{"IssueComment", func(f string) any {
		switch f {
		case "id":
			return nodeID("IC", c.id)
		case "fullDatabaseId":
			return strconv.FormatInt(c.id, 10)
		case "body":
			return c.body
		case "url":
			return fmt.Sprintf("%s/%s/pull/%d#issuecomment-%d", q.s.URL, c.pull.repo.full(), c.pull.number, c.id)
		case "isMinimized":
			return c.minimized != ""
		case "minimizedReason":
			return orNil(c.minimized)
		case "viewerCanMinimize":
			return q.may(c.pull.repo, "issues") || q.may(c.pull.repo, "pull_requests")
		}
		panic("githubtest: no field " + f + " of a comment")
	}}
}

func (q *graphRequest) pullObject(p *pull) *graphObject {
	return &graphObject{"PullRequest", func(f string) any {
		switch f {
		case "id":
			return nodeID("PR", p.id)
		case "fullDatabaseId":
			return strconv.FormatInt(p.id, 10)
		case "number":
			return p.number
		case "title":
			return p.title
		case "url":
			return fmt.Sprintf("%s/%s/pull/%d", q.s.URL, p.repo.full(), p.number)
		case "state":
			if p.merged {
				return "MERGED"
			}
			return map[bool]string{true: "OPEN", false: "CLOSED"}[p.state == "open"]
		case "merged":
			return p.merged
		case "isDraft":
			return p.draft
		case "headRefName":
			return p.headRef
		case "headRefOid":
			return p.headSHA
		case "baseRefName":
			return p.baseRef
		case "isInMergeQueue":
			return p.queued != nil
		case "mergeQueueEntry":
			return q.entryObject(p, p.queued)
		}
		panic("githubtest: no field " + f + " of a pull request")
	}}
}

func (q *graphRequest) entryObject(p *pull, e *queueEntry) *graphObject {
	if e == nil {
		return nil
	}
	return &graphObject{"MergeQueueEntry", func(f string) any {
		switch f {
		case "id":
			return nodeID("MQE", e.id)
		case "enqueuedAt":
			return stamp(e.at)
		case "position":
			return e.position
		case "state":
			return e.state
		case "jump":
			return e.jump
		case "solo":
			return false
		case "estimatedTimeToMerge":
			return nil
		case "pullRequest":
			return q.pullObject(p)
		}
		panic("githubtest: no field " + f + " of a merge queue entry")
	}}
}
