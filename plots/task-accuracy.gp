# Share of multiple-choice questions answered rightly: all of them with the standard error, and each kind.
# data: row, accuracy, error, label, shown, one column for each kind.
# chance: accuracy of guessing.  kinds, kind[]: how many kinds, and their names
eval by_variant
set xlabel 'Questions answered rightly, % (large: all of them, ± one standard error)'
set xrange [0:104]
set xtics 0, 20, 100
set key outside right center vertical Left reverse samplen 1 spacing 1.1 font ',10'
set arrow 1 from first chance, graph 0 to first chance, graph 1 nohead lc rgb gray dt 2 lw 1.5
set title offset 0,0.6
set label 1 sprintf('guessing %.0f %%', chance) at first chance, graph 1 center offset 0,0.5 textcolor rgb gray font ',10'
plot for [k=1:kinds] data using (column(5+k)):($1+0.24) with points ls (k+1) pt (k+4) ps 0.7 lw 1.2 title kind[k], \
  data using 2:1:3:ytic(4) with xerrorbars lt 1 pt 7 ps 1.2 lw 2, \
  data using 2:1:5 with labels offset 0,1.0 font ',10' textcolor rgb black
