# Perplexity of each variant with its standard error, beside the reference's.
# data: row, perplexity, error, label, shown.  reference: its perplexity, or NaN.
# lowest: perplexity of the text's source, or NaN.
# low, high, logarithmic, ticks: the axis
eval by_variant
set xlabel 'Perplexity (lower is better; ± one standard error, over tokens or windows, whichever is larger)'
set xrange [low:high]
if (logarithmic) { set logscale x; eval 'set xtics '.ticks }
if (reference == reference) {
  set arrow 1 from first reference, graph 0 to first reference, graph 1 nohead lc rgb gray dt 2 lw 1.5
  set title offset 0,0.6
  set label 1 sprintf('reference %.4g', reference) at first reference, graph 1 center offset 0,0.5 textcolor rgb gray font ',10'
}
if (lowest == lowest) {
  set arrow 2 from first lowest, graph 0 to first lowest, graph 1 nohead lc rgb red dt 3 lw 1.5
  set label 2 sprintf('floor %.3f', lowest) at first lowest, graph 0 left offset 0.6,0.7 textcolor rgb red font ',10'
}
plot data using 2:1:3:ytic(4) with xerrorbars lt 1 pt 7, \
  data using 2:1:5 with labels offset 0,0.9 font ',10' textcolor rgb black
