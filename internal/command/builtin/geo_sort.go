package builtin

import "slices"

// sortFirst sorts so many elements to the front, and the others as it happens: equal ones come in the order in which
// redis has them. That is Bentley's and McIlroy's quicksort ("Engineering a Sort Function", 1993) without the parts
// that are not asked for, in redis's pqsort.c; where all are asked for, redis calls the C library's, which is stable.
func sortFirst[T any](a []T, most int, compare func(x, y T) int) {
	if most >= len(a) {
		slices.SortStableFunc(a, compare)
		return
	}
	partSort(a, most, compare)
}

// partSort is sortFirst for most < len(a), or part of it.
func partSort[T any](a []T, most int, compare func(x, y T) int) {
	for {
		n := len(a)
		if n < 7 {
			for i := 1; i < n; i++ {
				for j := i; j > 0 && compare(a[j-1], a[j]) > 0; j-- {
					a[j-1], a[j] = a[j], a[j-1]
				}
			}
			return
		}
		pivot := pivotOf(a, compare)
		a[0], a[pivot] = a[pivot], a[0]

		// a[0:equal] are equal to the pivot, a[equal:low] less, a[high+1:equals+1] greater, a[equals+1:] equal.
		equal, low, high, equals := 1, 1, n-1, n-1
		for {
			for ; low <= high; low++ {
				order := compare(a[low], a[0])
				if order > 0 {
					break
				}
				if order == 0 {
					a[equal], a[low] = a[low], a[equal]
					equal++
				}
			}
			for ; low <= high; high-- {
				order := compare(a[high], a[0])
				if order < 0 {
					break
				}
				if order == 0 {
					a[high], a[equals] = a[equals], a[high]
					equals--
				}
			}
			if low > high {
				break
			}
			a[low], a[high] = a[high], a[low]
			low++
			high--
		}
		less, greater := low-equal, equals-high
		r := min(equal, less)
		swapParts(a[:r], a[low-r:low])
		r = min(greater, n-1-equals)
		swapParts(a[low:low+r], a[n-r:])
		if less > 1 {
			partSort(a[:less], most, compare)
		}
		from := n - greater
		if greater <= 1 || most <= from {
			return
		}
		a, most = a[from:], most-from
	}
}

func swapParts[T any](x, y []T) {
	for i := range x {
		x[i], y[i] = y[i], x[i]
	}
}

// pivotOf is the index of one that is probably in the middle.
func pivotOf[T any](a []T, compare func(x, y T) int) int {
	middle := func(i, j, k int) int {
		if compare(a[i], a[j]) < 0 {
			switch {
			case compare(a[j], a[k]) < 0:
				return j
			case compare(a[i], a[k]) < 0:
				return k
			}
			return i
		}
		switch {
		case compare(a[j], a[k]) > 0:
			return j
		case compare(a[i], a[k]) < 0:
			return i
		}
		return k
	}
	n := len(a)
	first, mid, last := 0, n/2, n-1
	if n == 7 {
		return mid
	}
	if n > 40 {
		d := n / 8
		first, mid, last = middle(first, first+d, first+2*d), middle(mid-d, mid, mid+d), middle(last-2*d, last-d, last)
	}
	return middle(first, mid, last)
}
