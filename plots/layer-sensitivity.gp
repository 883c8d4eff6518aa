# How far each variant's predictions are from the reference's, worst on top: which layer hurts most.
# data: row, KL divergence, error, label, shown, both ends of the bar.  low, high, logarithmic, ticks: the axis
eval frame
eval by_variant
set xrange [low:high]
if (logarithmic) { set logscale x }
eval 'set xtics '.ticks
half = 0.32
if (logarithmic) {
  plot data using 2:1:6:7:ytic(4) with xerrorbars lt 4 pt 7, \
    data using (high):1:5 with labels left offset 1,0 font sprintf(',%g', value_size)
} else {
  plot data using 2:1:(0):2:($1-half):($1+half):ytic(4) with boxxyerror lc rgb red, \
    data using 2:1:6:7 with xerrorbars lc rgb black lw 1.2 pt 0, \
    data using (high):1:5 with labels left offset 1,0 font sprintf(',%g', value_size)
}
