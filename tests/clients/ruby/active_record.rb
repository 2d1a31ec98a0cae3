# ruby/active_record.rb: ActiveRecord (over the pg and the mysql2 gem): definitions, rows, threads.
require 'active_record'
require 'bigdecimal'

postgres = ENV.fetch('ADAPTER') == 'postgresql'
ActiveRecord::Base.establish_connection(
  adapter: ENV.fetch('ADAPTER'), host: ENV.fetch('HOST'), port: ENV.fetch('PORT').to_i,
  database: ENV.fetch('DATABASE'), username: ENV.fetch('USER_NAME'),
  password: ENV.fetch('PASSWORD'), pool: 8, prepared_statements: true)
ActiveRecord::Migration.verbose = false

class Author < ActiveRecord::Base; has_many :books; end
class Book < ActiveRecord::Base; belongs_to :author; end

class Definitions < ActiveRecord::Migration[6.1]
  def change
    create_table(:authors) { |t| t.string :name, null: false, limit: 40 }
    add_index :authors, :name, unique: true
    create_table :books do |t|
      t.references :author, null: false, foreign_key: true, index: false
      t.string :title, null: false
      t.decimal :price, precision: 10, scale: 2
      t.boolean :sold, default: false, null: false
      t.datetime :published, precision: 6
      t.date :day
      t.binary :cover
      t.float :rating
      t.bigint :isbn
    end
    add_column :books, :language, :string, default: 'en'
  end
end

def expect(got, wanted)
  raise "got #{got.inspect}, expected #{wanted.inspect}" unless got == wanted
end

def refused(error)
  yield
  raise "no #{error}"
rescue error
  nil
end

connection = ActiveRecord::Base.connection
connection.drop_table(:books, if_exists: true)
connection.drop_table(:authors, if_exists: true)
Definitions.new.migrate(:up)
[Author, Book].each(&:reset_column_information)
puts 'ok definitions'

at = Time.utc(2024, 2, 29, 1, 2, 3.25r)
author = Author.create!(name: "ü'\\")
book = author.books.create!(title: 'T', price: BigDecimal('12.50'), sold: true, published: at,
                            day: Date.new(2024, 2, 29), cover: "\0\x01\xff".b, rating: 1.5,
                            isbn: 2**40)
book.update!(rating: 2.5)
book = Book.find(book.id)
expect([book.price, book.sold, book.published, book.day, book.cover, book.rating, book.isbn],
       [BigDecimal('12.50'), true, at, Date.new(2024, 2, 29), "\0\x01\xff".b, 2.5, 2**40])
expect(book.language, 'en')
refused(ActiveRecord::RecordNotUnique) { Author.create!(name: author.name) }
refused(ActiveRecord::NotNullViolation) { Author.create!(name: nil) }
refused(ActiveRecord::InvalidForeignKey) { Book.new(title: 'x', author_id: 99).save!(validate: false) }
Author.transaction do
  Author.create!(name: 'kept')
  Author.transaction(requires_new: true) do
    Author.create!(name: 'gone')
    raise ActiveRecord::Rollback
  end
end
expect(Author.where(name: %w[kept gone]).pluck(:name), ['kept'])
Author.insert_all((1..300).map { |n| { name: "many #{n}" } })
expect(Author.where("name LIKE 'many%'").count, 300)
expect(Author.where(name: 'many 5').update_all(name: 'other'), 1)
expect(Author.joins(:books).where(books: { sold: true }).pluck(:id), [author.id])
expect(Author.where(id: Book.where(title: 'T').select(:author_id)).count, 1)
expect(Book.sum(:price), BigDecimal('12.50'))
expect(connection.indexes(:authors).map(&:name), ['index_authors_on_name'])
puts 'ok rows'

# More connections than the gateway has: what a connection is set to at login must not keep it.
(1..8).map do |n|
  Thread.new do
    ActiveRecord::Base.connection_pool.with_connection do |own|
      5.times { |m| expect(own.select_value("SELECT #{n} + #{m}").to_i, n + m) }
      expect(Author.where(id: author.id).count, 1)
    end
  end
end.each(&:join)
connection.execute(postgres ? 'SET standard_conforming_strings = on' : 'SELECT 1')
puts 'ok threads'
connection.drop_table(:books)
connection.drop_table(:authors)
