package planner

// Closest returns the known name that was probably meant by one that is not
// known, "" where none is near.
func Closest(name string, known []string) string {
	if len(name) > 100 {
		return ""
	}
	best, distance := "", 1+max(1, len(name)/3)
	for _, k := range known {
		if len(k)-len(name) >= distance || len(name)-len(k) >= distance {
			continue
		}
		if d := editDistance(name, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// DidYouMean returns " Did you mean \"x\"?" for the nearest known name, ""
// where none is near: the end of a message about an unknown one.
func DidYouMean(name string, known []string) string {
	if near := Closest(name, known); near != "" {
		return " Did you mean \"" + near + "\"?"
	}
	return ""
}

// editDistance counts the bytes to insert, delete, replace or swap with the
// next one that make b of a.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
