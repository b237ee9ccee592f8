package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// TeamMember reports whether a user belongs to an organisation's team, named by
// its slug, or to a team below it: GitHub counts those in. An invitation that
// was not accepted is no membership. A team or user that is not there, or that
// the App may not see, gives false. It needs the organisation's permission to
// read members; without it the error is errs.Forbidden. One request.
func (c *Client) TeamMember(ctx context.Context, org, slug, user string) (bool, error) {
	var out struct {
		State string `json:"state"`
	}
	path := "orgs/" + url.PathEscape(org) + "/teams/" + url.PathEscape(slug) + "/memberships/" + url.PathEscape(user)
	_, err := c.do(ctx, tokenKey{0, forTeams}, call{method: "GET", path: path, out: &out})
	if status, _ := answered(err); status == http.StatusNotFound {
		if Gone(err) { // it was the token that was not found
			return false, classify("team membership", err)
		}
		return false, nil
	}
	if err != nil {
		return false, classify(fmt.Sprintf("membership of %q in team %s/%s", user, org, slug), err)
	}
	return out.State == "active", nil
}
