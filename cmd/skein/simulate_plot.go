package main

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/skeindb/skein/internal/sim"
)

// plotReports draws how far an outage is over, against the time since the accident: the share of the masters that
// are marked as failed, that are replaced, and of the courses in which everything is served. The ending of the file's name
// says the format.
func plotReports(file string, reports []*sim.Report) error {
	p := plot.New()
	r := reports[0]
	p.Title.Text = fmt.Sprintf("%s, %d masters, %d seeds", r.Study.Scenario, r.Study.Masters, r.Study.Seeds)
	p.X.Label.Text = "seconds after the accident"
	p.Y.Label.Text = "share"
	p.Y.Min, p.Y.Max, p.X.Min = 0, 1, 0
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for i, r := range reports {
		name := fmt.Sprintf("%s, %d replicas", duration(r.Study.NodeTimeout), r.Study.Replicas)
		if err := addSteps(p, "failed, "+name, r.Fail, r.Fail.N, i, 2); err != nil {
			return err
		}
		if err := addSteps(p, "replaced, "+name, r.Promote, max(r.Promote.N, victims(r)), i, 1); err != nil {
			return err
		}
		if err := addSteps(p, "all served, "+name, r.Serve, len(r.Outcomes), i, 0); err != nil {
			return err
		}
	}
	return p.Save(22*vg.Centimeter, 14*vg.Centimeter, file)
}

func victims(r *sim.Report) (n int) {
	for _, o := range r.Outcomes {
		n += o.Victims
	}
	return n
}

// addSteps draws what share of total had come about by each time.
func addSteps(p *plot.Plot, name string, q sim.Quantiles, total, color, dashes int) error {
	if q.N == 0 {
		return nil
	}
	points := plotter.XYs{{X: 0, Y: 0}}
	for i, t := range q.Sorted {
		x := duration(t).Seconds()
		points = append(points, plotter.XY{X: x, Y: float64(i) / float64(total)}, plotter.XY{X: x, Y: float64(i+1) / float64(total)})
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.Color, line.Dashes, line.Width = plotutil.Color(color), plotutil.Dashes(dashes), vg.Points(1.5)
	p.Add(line)
	p.Legend.Add(name, line)
	return nil
}
