package state

// Verbs returns method and form, "" or "/lock", of every kind of request that
// the handler knows, and the scope that it takes.
func Verbs() [][3]string {
	var all [][3]string
	for _, v := range verbs {
		form := ""
		if v.onLock {
			form = "/lock"
		}
		all = append(all, [3]string{v.method, form, string(v.scope)})
	}
	return all
}
