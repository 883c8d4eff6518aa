# Perplexity of each variant with its standard error, beside the reference's.
# data: row, perplexity, error, label, shown.  reference: its perplexity, or NaN.  logarithmic: 0 or 1
eval by_variant
set xlabel 'Perplexity (lower is better; bars are ± one standard error)'
if (logarithmic) set logscale x
set offsets graph 0.06, graph 0.12, 0, 0
if (reference == reference) {
  set arrow 1 from first reference, graph 0 to first reference, graph 1 nohead lc rgb gray dt 2 lw 1.5
  set label 1 sprintf('reference %.4g', reference) at first reference, graph 1 left offset 0.6,-0.7 textcolor rgb gray font ',10'
}
plot data using 2:1:3:ytic(4) with xerrorbars lt 1 pt 7, \
  data using 2:1:5 with labels offset 0,0.9 font ',10' textcolor rgb black
