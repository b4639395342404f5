// Dark or light before anything is drawn: as chosen here before, otherwise as the system has it.
'use strict';

(() => {
  const key = 'lockstep-theme';
  const order = ['system', 'light', 'dark'];
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const read = () => {
    try {
      return order.includes(localStorage.getItem(key)) ? localStorage.getItem(key) : 'system';
    } catch {
      return 'system';  // A browser may forbid pages to remember anything.
    }
  };
  const apply = (theme) => {
    const ofSystem = dark.matches ? 'dark' : 'light';
    document.documentElement.dataset.theme = theme === 'system' ? ofSystem : theme;
  };
  window.lockstepTheme = {
    current: read,
    next() {
      const theme = order[(order.indexOf(read()) + 1) % order.length];
      try {
        localStorage.setItem(key, theme);
      } catch {
        // Then it lasts as long as the page.
      }
      apply(theme);
      return theme;
    },
  };
  dark.addEventListener('change', () => apply(read()));
  apply(read());
})();
