// Groups digits while they are typed, and prevents double submits. The forms work without it.

function shape(input, format) {
  input?.addEventListener('input', () => {
    const atEnd = input.selectionStart === input.value.length;
    const shaped = format(input.value.replace(/\D/g, ''));
    // Reformatting in the middle of a number would move the cursor.
    if (atEnd && shaped !== input.value) input.value = shaped;
  });
}

const card = document.querySelector('input[name="card"]');
const expiry = document.querySelector('input[name="expiry"]');
shape(card, (digits) => digits.slice(0, 16).replace(/(\d{4})(?=\d)/g, '$1 '));
shape(expiry, (digits) => (digits.length > 2 ? `${digits.slice(0, 2)}/${digits.slice(2, 4)}` : digits));
shape(document.querySelector('input[name="code"]'), (digits) => digits.slice(0, 6));
card?.addEventListener('input', () => {
  if (card.value.replace(/\D/g, '').length === 16) expiry?.focus();
});

for (const form of document.forms) {
  form.addEventListener('submit', (event) => {
    const button = form.querySelector('button');
    if (button.hasAttribute('aria-busy')) event.preventDefault();
    button.setAttribute('aria-busy', 'true');
  });
}
addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('button')) button.removeAttribute('aria-busy');
});
