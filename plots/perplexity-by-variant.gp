# Perplexity of each variant with its standard error, beside the reference's.
# data: row, perplexity, error, label, shown, both ends of the bar.  reference: its perplexity, or NaN.
# lowest: perplexity of the text's source, or NaN.
# low, high, logarithmic, ticks: the axis.  Figures stand at the right, beside no mark
eval frame
eval by_variant
set xrange [low:high]
if (logarithmic) { set logscale x }
eval 'set xtics '.ticks
if (reference == reference) { set arrow 1 from first reference, graph 0 to first reference, graph 1 nohead lc rgb gray dt 2 lw 1.5 }
if (lowest == lowest) { set arrow 2 from first lowest, graph 0 to first lowest, graph 1 nohead lc rgb red dt 3 lw 1.5 }
plot data using 2:1:6:7:ytic(4) with xerrorbars lt 1 pt 7, \
  data using (high):1:5 with labels left offset 1,0 font sprintf(',%g', value_size)
